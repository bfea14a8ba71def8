import { expect, test } from 'vitest';
import { type ConfigPage, configText } from '../../src/views/config.js';
import { PIPE, TTY } from './task-views.js';

const page = (given: Partial<ConfigPage>): ConfigPage => ({
  path: 'web.thermos',
  document: { name: 'web', processes: [{ name: 'p', cmdline: 'true' }] },
  settings: [],
  ports: new Map(),
  unboundPorts: [],
  lint: [],
  ...given,
});

test('settings that differ from their defaults have a section, unless another part shows them', () => {
  const settings = [
    { name: 'user', value: 'www' },
    { name: 'max_failures', value: 5, default: 1 },
    { name: 'something_new', value: [1, 'a'] },
    { process: 'p', name: 'min_duration', value: 7, default: 5 },
    { process: 'p', name: 'resources.ram', value: 512 << 20 },
    { process: 'p', name: 'logger.mode', value: 'rotate', default: 'standard' },
    { process: 'p', name: 'logger.rotate.log_size', value: 10 << 20, default: 100 << 20 },
    { process: 'p', name: 'logger.rotate.log_size', value: (100 << 20) + 1, default: 100 << 20 },
    { process: 'p', name: 'final', value: true, default: false },
  ];
  const text = configText(page({ settings }), PIPE);
  expect(/\nSETTINGS\n((?: {2}.*\n)*)/.exec(text)?.[1]).toBe(
    [
      '  PROCESS  SETTING                 VALUE      DEFAULT',
      '  -        something_new           [1,"a"]    -',
      '  p        resources.ram           512MiB     -',
      '  p        logger.mode             rotate     standard',
      '  p        logger.rotate.log_size  10MiB      100MiB',
      '  p        logger.rotate.log_size  104857601  100MiB',
      '',
    ].join('\n'),
  );
});

test('without such settings there is no section', () => {
  const settings = [{ process: 'p', name: 'cmdline', value: 'true' }];
  for (const style of [PIPE, TTY]) expect(configText(page({ settings }), style)).not.toContain('SETTINGS');
});
