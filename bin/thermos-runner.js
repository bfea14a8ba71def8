#!/bin/sh
':' //; program=$(readlink -f "$0"); exec "${program%/*}/run.js" __runner "$@"
// The runner for Aurora's executor, which thermos calls `__runner`.
process.argv.splice(2, 0, '__runner');
require('./run.js');
