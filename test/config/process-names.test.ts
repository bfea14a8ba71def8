import { describe, expect, test } from 'vitest';
import { statedProcesses } from '../../src/config/process-names.js';

describe('statedProcesses', () => {
  test.each<[string, string[]]>([
    ['{"name": "x", "processes": [{"name": "a"}, {"name": "b c"}, {}, null, {"name": 1}]}', ['a', 'b c']],
    ['{"processes": {"name": "a"}}', []],
    ['{"processes": [', []],
    ["a = Process(name = 'build', cmdline = 'x')\nb = Process(name=\"it's\")", ['build', "it's"]],
    ['Process(\n  name = "late",\n)', ['late']],
    ["name = 'x'\nTask(name = 'y')\nMyProcess(name = 'z')", []],
    ["Process(name = NAME)\nProcess(name = 'a\\'b')", []],
    ['', []],
  ])('%j', (source, names) => {
    expect(statedProcesses(source)).toEqual(names);
  });
});
