#!/usr/bin/env node
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
