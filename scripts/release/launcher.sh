#!/bin/sh
# Starts thermos with the Node that is shipped with it, also by a link to this file.
thermos_self=$0
case $thermos_self in
  */*) ;;
  *) if [ -e "./$thermos_self" ]; then thermos_self=./$thermos_self; else thermos_self=$(command -v "$thermos_self"); fi ;;
esac
case ${thermos_self##*/} in thermos-runner) set -- __runner "$@" ;; esac
thermos_links=0
while [ -h "$thermos_self" ] && [ $thermos_links -lt 40 ]; do
  thermos_link=$(readlink "$thermos_self" 2>/dev/null) || { thermos_link=$(ls -ld "$thermos_self"); thermos_link=${thermos_link#* -> }; }
  case $thermos_link in
    /*) thermos_self=$thermos_link ;;
    *) thermos_self=${thermos_self%/*}/$thermos_link ;;
  esac
  thermos_links=$((thermos_links + 1))
done
case $thermos_self in /*) ;; *) thermos_self=$PWD/$thermos_self ;; esac
thermos_home=${thermos_self%/*}
# Node takes `..` out of the path of a program without a look at links.
if [ -h "$thermos_home" ] || [ "${thermos_home##*/}" = . ] || [ "${thermos_home##*/}" = .. ]; then
  thermos_home=$(CDPATH='' cd -P "$thermos_home" && pwd -P)
fi
thermos_home=${thermos_home%/*}/lib/thermos
thermos_node=$thermos_home/node
thermos_refuse() {
  echo "thermos: $1" >&2
  exit 126
}
# The last one comes after Node in the archive, and is empty where the disk was full.
for thermos_file in node bin/run.js dist/main.cjs dist/thermos.cjs release.json; do
  [ -s "$thermos_home/$thermos_file" ] && continue
  thermos_folder=$thermos_home/$thermos_file
  thermos_folder=${thermos_folder%/*}
  [ ! -d "$thermos_folder" ] || [ -x "$thermos_folder" ] || thermos_refuse "you may not enter $thermos_folder: allow it with chmod -R go+rX $thermos_home"
  thermos_refuse "$thermos_home/$thermos_file is missing or empty: unpack or install thermos again, with its directory lib"
done
[ -x "$thermos_node" ] || thermos_refuse "$thermos_node may not be executed: allow it with chmod +x, or mount its file system without noexec"
[ -e @LOADER@ ] || thermos_refuse "this is a program for @MACHINE@ with the GNU C library, and this $(uname -m) host has no @LOADER@; use --agent from another host"
for thermos_minor in 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27; do
  for thermos_folder in /lib64 /lib/@MACHINE@-linux-gnu; do
    [ ! -e "$thermos_folder/libc-2.$thermos_minor.so" ] || thermos_refuse "the C library of this host is glibc 2.$thermos_minor, 2.28 or newer is needed; use --agent from another host"
  done
done
# A host that builds programs for others has their loaders, too.
if [ -e @OTHER@ ] && [ "$(uname -m)" != @MACHINE@ ]; then
  "$thermos_node" --version >/dev/null 2>&1 || thermos_refuse "this is a program for @MACHINE@, which this $(uname -m) host does not execute; use the one for it"
fi
# Node needs getrandom(2), which Linux has since 3.17, and some distributions in older ones. It would end with a dump.
thermos_kernel=
{ read -r thermos_kernel </proc/sys/kernel/osrelease; } 2>/dev/null
case $thermos_kernel in
  2.* | 3.? | 3.?.* | 3.1[0-6]*)
    "$thermos_node" -p 0 >/dev/null 2>&1 || thermos_refuse "Node does not start on this host (Linux $thermos_kernel), 3.17 or newer is needed; use --agent from another host"
    ;;
esac
