#!/usr/bin/env node
// The runner for Aurora's executor: what `thermos` calls `__runner`.
process.argv.splice(2, 0, '__runner');
require('./run.js');
