/** What an argument or a value is the name of. Completion offers the names of that kind that are here. */
export type CompletionKind =
  /** Task ids; `active-task`: of tasks that are not over. */
  | 'task'
  | 'active-task'
  /** Processes of the task that the first argument names; `running-process`: those that run now. */
  | 'process'
  | 'running-process'
  /** `process=NAME:STATE`, with processes of that task. */
  | 'condition'
  /** Processes of the config that the first argument names, or of the task of `--again`. */
  | 'config-process'
  | 'signal'
  /** `TASK:PATH`; `destination`: that, or a file here. */
  | 'file'
  | 'destination'
  /** A command of this program, or a topic of its help. */
  | 'command'
  /** A code of problems and errors. */
  | 'code';

/** By the names of arguments and flags. */
export type CompletionKinds = Readonly<Record<string, CompletionKind>>;

/** Of the arguments for which a command declares nothing else. */
export const KINDS_OF_ARGUMENTS: CompletionKinds = {
  task: 'task',
  target: 'task',
  other: 'task',
  process: 'process',
  signal: 'signal',
  file: 'file',
  dest: 'destination',
  command: 'command',
  code: 'code',
};
