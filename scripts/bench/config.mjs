// The cost of evaluating a config: one in JSON, a small one in Python, a large one.

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quote, sideBySide } from './measure.mjs';
import { besideOriginal } from './original.mjs';
import { milliseconds, ratioRow } from './table.mjs';

const CONFIGS = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'fixtures', 'config');
const PYTHON_GOAL = { cpu: 2.5 };
const JSON_GOAL = { cpu: 1.5 };
const LARGE_GOAL_MS = 1000;

/** `context` as in `statusRows`. Returns rows for the table. */
export function configRows(context) {
  const { dir, program, node, env, quick, say } = context;
  say('configs');
  const runs = quick ? 7 : 21;
  const inspect = (path) => `${program} inspect --json ${quote(path)}`;
  const config = written(dir, 10);
  const small = inspect(config);
  const json = inspect(join(CONFIGS, 'json_task.json'));
  const nothing = `${node} -e 0`;
  const [python, large, start] = sideBySide([small, inspect(written(dir, 1000)), nothing], runs, env);
  const more = large.wall - python.wall;
  return [
    ratioRow(
      'inspect a config in JSON',
      '--version',
      sideBySide([json, `${program} --version`], runs, env),
      JSON_GOAL,
    ),
    ratioRow('inspect a config in Python', 'node -e 0', [python, start]),
    besideOriginal(context, small, `inspect ${quote(config)}`, runs, '168 ms', PYTHON_GOAL),
    {
      what: '  with 1,000 processes instead of 10',
      measured: `${milliseconds(more)} more`,
      goal: `<= ${LARGE_GOAL_MS} ms more`,
      ok: more <= LARGE_GOAL_MS,
    },
  ];
}

/** A config with as many processes as asked for, one after the other. */
function written(dir, processes) {
  const path = join(dir, `of-${processes}.thermos`);
  writeFileSync(
    path,
    `processes = [Process(name='p%d' % i, cmdline='echo {{greeting}} %d' % i) for i in range(${processes})]
resources = Resources(cpu=1, ram=1*GB, disk=1*GB)
export(SequentialTask(name='bench', processes=processes, resources=resources).bind(greeting='hello'))
`,
  );
  return path;
}
