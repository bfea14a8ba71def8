# In namespaces of its own: a task over the installation, an upgrade, the removal and the purge of a package in the tree R.
#   lifecycle.sh R INSTALL UPGRADE REMOVE [PURGE]: command lines, run outside of the tree. It says what it saw, a line each.
set -eu
R=$1
shift
export R PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C
mount -t proc proc "$R/proc"
mount -t proc proc /proc
root=/var/lib/thermos-test
within() { chroot "$R" env -i PATH="$PATH" HOME=/root "$@"; }
t() { within thermos "$@" --root "$root"; }
said() { echo "$1: $2"; }
runs() { t status --json --no-color t | grep -o '"state":"[A-Z]*"' | head -1 | cut -d'"' -f4; }
until_file() {
  i=0
  until [ -e "$1" ]; do
    i=$((i + 1))
    [ "$i" -lt 600 ] || { said "missing" "$1"; exit 1; }
    sleep 0.1
  done
}

eval "$1" >/dev/null
said installed "$(within thermos --version)"
said runner "$(within thermos-runner --help >/dev/null && echo yes)"
mkdir -p "$R$root/checkpoints"
cat >"$R/root/t.json" <<'JSON'
{"name": "t", "processes": [
  {"name": "first", "cmdline": "touch /tmp/first; until [ -e /tmp/go ]; do sleep 0.1; done; echo went"},
  {"name": "second", "cmdline": "touch /tmp/second; sleep 10000"}],
  "constraints": [{"order": ["first", "second"]}]}
JSON
t run --daemon --task-id t /root/t.json >/dev/null 2>&1
cat >"$R/root/u.json" <<'JSON'
{"name": "u", "processes": [{"name": "only", "cmdline": "touch /tmp/only; sleep 20000"}]}
JSON
t run --daemon --task-id u /root/u.json >/dev/null 2>&1
until_file "$R"/tmp/only
until_file "$R"/tmp/first
said started "$(runs)"

echo '{"gc": {"max_age": "9w"}}' >"$R/etc/thermos/config.json"
eval "$2" >/dev/null
said upgraded "$(within thermos --version)"
said config "$(cat "$R/etc/thermos/config.json")"
said goes-on "$(runs)"
touch "$R/tmp/go"
until_file "$R"/tmp/second
said log "$(t tail -n 1 t first 2>/dev/null)"
t kill --yes u >/dev/null 2>&1
said killed-by-newer "$(t status --json --no-color u | grep -o '"state":"[A-Z]*"' | head -1 | cut -d'"' -f4) $(pgrep -c -f 'sleep 20000' || true)"
t gc --yes --max-age 0s >/dev/null
said collected-by-newer "$(ls "$R$root/checkpoints")"

eval "$3" >/dev/null
said removed "$(ls "$R/usr/bin/thermos" "$R/usr/lib/thermos" 2>/dev/null || echo gone)"
said config "$(cat "$R"/etc/thermos/config.json* | head -1)"
said task "$(ls "$R$root/checkpoints/t" | xargs)"
said lives "$(pgrep -c -f 'sleep 10000' || true)"

eval "$1" >/dev/null
said again "$(runs)"
t kill --yes t >/dev/null 2>&1
said killed "$(runs)"
said left "$(pgrep -c -f 'sleep 10000' || true)"

# As the unit allows it.
caps=-all,+dac_override,+dac_read_search,+fowner,+kill,+sys_ptrace
gc() {
  within THERMOS_ROOT="$root" THERMOS_CONFIG=/etc/thermos/config.json \
    setpriv --bounding-set="$caps" --no-new-privs /usr/lib/thermos/gc-with-limits
}
echo '{}' >"$R/etc/thermos/config.json"
said no-limit "$(gc 2>&1 | tail -n 1)"
said kept "$(ls "$R$root/tasks/finished")"
echo '{"gc": {"max_tasks": 0}}' >"$R/etc/thermos/config.json"
chmod 666 "$R"/etc/thermos/config.json
said of-others "$(gc 2>&1 | tail -n 1)"
said kept "$(ls "$R$root/tasks/finished")"
chmod 644 "$R"/etc/thermos/config.json
gc >/dev/null
said collected "$(ls "$R$root/tasks/finished" 2>/dev/null | wc -l)"

eval "$3" >/dev/null
if [ -n "${4-}" ]; then
  eval "$4" >/dev/null 2>&1
  said purged "$(ls -d "$R/etc/thermos" "$R/usr/lib/thermos" "$R/var/cache/thermos" 2>/dev/null | wc -l)"
fi
said stays "$(ls "$R$root" | xargs)"
