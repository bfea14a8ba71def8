import type { Setting } from '../config/settings.js';
import type { Problem } from '../errors/problem.js';
import { type ProcessConfig, parseTaskConfig, type TaskConfig } from '../task/task-file.js';
import { visible } from '../text/escape.js';
import { parseSize, size } from '../text/size.js';
import { commandsText, limitsText, orderingText, resourcesText } from './inspect.js';
import type { Style } from './parts/style.js';
import { table } from './parts/table.js';

/** An evaluated config, as a person sees it. */
export interface ConfigPage {
  path: string;
  /** The task as in a task file. */
  document: object;
  /** The task id, user and directories of a run, where they are known. */
  taskId?: string;
  user?: string;
  root?: string;
  sandbox?: string;
  /** What differs from the defaults. */
  settings: readonly Setting[];
  /** Ports with a number. */
  ports: ReadonlyMap<string, number>;
  /** Ports that a run still needs. */
  unboundPorts: readonly string[];
  lint: readonly Problem[];
}

/** The content of a config: the task, its processes with their command lines, the ordering. */
export function configText(page: ConfigPage, style: Style): string {
  const config = parseTaskConfig(page.document);
  const sections: [string, string][] =
    config === undefined
      ? [['VALUE', `  ${visible(JSON.stringify(page.document))}\n`]]
      : [
          ['PROCESSES', processesText(config.processes, style)],
          ['SETTINGS', settingsText(page.settings, style)],
          ['ORDERING', orderingText(config, style, () => undefined)],
          ['COMMANDS', commandsText(config, style)],
        ];
  const shown = sections.filter(([, text]) => text !== '');
  return [
    head(page, config, style),
    ...shown.map(([title, text]) => `\n${style.paint.bold(title)}\n${text}`),
  ].join('');
}

function head(page: ConfigPage, config: TaskConfig | undefined, style: Style): string {
  const { paint } = style;
  const user = config?.raw.user;
  const fields: [string, string | undefined][] = [
    ['Task', config && paint.bold(visible(config.name ?? '-'))],
    ['Task id', named(page.taskId)],
    ['File', visible(page.path)],
    ['User', named(page.user ?? (typeof user === 'string' ? user : undefined))],
    ['Root', named(page.root)],
    ['Sandbox', named(page.sandbox)],
    ['Ports', portsText(page)],
    ['Resources', config && resourcesText(config)],
    ['Limits', config && limitsText(config)],
    ['Problems', problemsText(page.lint, style)],
  ];
  return fields
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${paint.dim(`${name}:`.padEnd(12))}${value}\n`)
    .join('');
}

function named(text: string | undefined): string | undefined {
  return text === undefined ? undefined : visible(text);
}

function portsText({ ports, unboundPorts }: ConfigPage): string | undefined {
  const texts = [
    ...[...ports].map(([name, port]) => `${name}=${port}`),
    ...unboundPorts.map((name) => `${name} (unbound)`),
  ];
  return texts.length === 0 ? undefined : visible(texts.join(' '));
}

/** The counts; the problems themselves go to stderr. */
function problemsText(lint: readonly Problem[], { paint }: Style): string | undefined {
  const errors = lint.filter(({ severity }) => severity === 'error').length;
  const warnings = lint.length - errors;
  const parts = [
    errors > 0 ? paint.red(`${errors} ${errors === 1 ? 'error' : 'errors'}; it cannot be run`) : undefined,
    warnings > 0 ? paint.yellow(`${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`) : undefined,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** The limits, logs and kind of each process. */
function processesText(processes: readonly ProcessConfig[], style: Style): string {
  const columns = [
    { title: 'PROCESS', flexible: 'middle' as const },
    { title: 'MAX-FAILURES', align: 'right' as const },
    { title: 'MIN-DURATION', align: 'right' as const },
    { title: 'LOGS' },
    { title: 'KIND' },
  ];
  const rows = processes.map((process) => {
    const { name, max_failures, min_duration, log_destination, daemon, ephemeral, final } = process;
    const kinds = [daemon && 'daemon', ephemeral && 'ephemeral', final && 'final'].filter(Boolean);
    return [
      name,
      max_failures === 0 ? 'unlimited' : max_failures?.toString(),
      min_duration === undefined ? undefined : `${min_duration}s`,
      log_destination ?? 'file',
      kinds.join(','),
    ];
  });
  const width = style.width === undefined ? undefined : style.width - 2;
  const text = table(columns, rows, { width, unicode: style.unicode, titles: style.paint.dim });
  return text.replace(/^(?=.)/gm, '  ');
}

/** What the other parts of the page show, of the task and of its processes. */
const SHOWN_ELSEWHERE = {
  task: /^(name|user|constraints|resources\..*|max_failures|max_concurrency|finalization_wait)$/,
  process: /^(name|cmdline|max_failures|min_duration|daemon|ephemeral|final|logger\.destination)$/,
};

/** Every other setting that is not the default. */
function settingsText(settings: readonly Setting[], style: Style): string {
  const columns = [
    { title: 'PROCESS', flexible: 'end' as const },
    { title: 'SETTING' },
    { title: 'VALUE', flexible: 'wrap' as const },
    { title: 'DEFAULT', flexible: 'end' as const },
  ];
  const rows = settings
    .filter(({ process, name }) => !SHOWN_ELSEWHERE[process === undefined ? 'task' : 'process'].test(name))
    .map(({ process, name, value, default: usual }) => [
      process ?? '-',
      name,
      settingText(name, value),
      settingText(name, usual),
    ]);
  if (rows.length === 0) return '';
  const width = style.width === undefined ? undefined : style.width - 2;
  const text = table(columns, rows, { width, unicode: style.unicode, titles: style.paint.dim });
  return text.replace(/^(?=.)/gm, '  ');
}

function settingText(name: string, value: Setting['value']): string | undefined {
  if (value === undefined) return undefined;
  if (/(^|\.)(ram|disk|log_size)$/.test(name) && Number.isSafeInteger(value)) {
    const shown = size(Number(value));
    // Rounded, the value might be the default.
    if (parseSize(shown, name) === value) return shown;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
