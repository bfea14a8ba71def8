#!/bin/sh
':' /*
# This part is for sh, which becomes Node. Node gives every signal its default effect when it starts; what nohup(1) or a
# shell has made us ignore must be known before. And it cannot reap what it did not start, as the first process of a
# container has to: our own init does that, if it was built for this machine.
{ read -r thermos_stat </proc/self/stat; } 2>/dev/null
thermos_field() { THERMOS_IGNORED_SIGNALS=${31:-0}; }
thermos_field ${thermos_stat##*) }
export THERMOS_IGNORED_SIGNALS
if [ $$ = 1 ] || [ -n "${THERMOS_INIT-}" ]; then
  thermos_machine() { head -c 20 "$1" | tail -c 2 | od -An -tx1; }
  thermos_init=$(readlink -f "$0")
  thermos_init=${thermos_init%/bin/run.js}/dist/coordinator
  if [ -x "$thermos_init" ] && [ "$(thermos_machine "$thermos_init")" = "$(thermos_machine /bin/sh)" ]; then
    unset THERMOS_INIT
    exec "$thermos_init" --init node "$0" "$@"
  fi
fi
exec node "$0" "$@"
*/
// In the JavaScript of 2009, so that a Node too old for the program can still parse this and report it.
// From here on, SIGUSR1 does not make Node open a debugger port.
process.on('SIGUSR1', function () {});
var version = process.versions.node.split('.');
if (Number(version[0]) > 20 || (version[0] === '20' && Number(version[1]) >= 19)) {
  require('../dist/main.cjs');
} else {
  console.error('thermos: Node 20.19 or newer is needed, this is Node ' + process.versions.node);
  process.exit(2);
}
