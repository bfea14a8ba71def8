#!/usr/bin/env node
// In the JavaScript of 2009, so that a Node that is too old for the program can read this and say so.
// From here on Node doesn't answer SIGUSR1 with a debugger that listens on a port.
process.on('SIGUSR1', function () {});
var version = process.versions.node.split('.');
if (Number(version[0]) > 20 || (version[0] === '20' && Number(version[1]) >= 19)) {
  require('../dist/main.cjs');
} else {
  console.error('thermos: Node 20.19 or newer is needed, this is Node ' + process.versions.node);
  process.exit(2);
}
