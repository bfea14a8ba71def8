/** What help says about files of defaults. */
export interface ConfigTopic {
  readonly summary: string;
  readonly keys: [key: string, text: string][];
  readonly example: readonly string[];
  readonly notes: readonly string[];
}

export const CONFIG_TOPIC: ConfigTopic = {
  summary:
    'Defaults of all commands are read from /etc/thermos/config.json, then from ~/.config/thermos/config.json ($XDG_CONFIG_HOME/thermos/config.json), whose keys win. THERMOS_CONFIG names one other file instead, or none if it is empty. Flags and other variables of the environment win over all of them.',
  keys: [
    [
      'roots',
      'Absolute paths of task roots to search instead of the default ones; run uses the first. Can be combined with mesos_roots.',
    ],
    [
      'mesos_roots',
      'Absolute paths of work directories of Mesos agents to search. Can be combined with roots.',
    ],
    ['gc.max_age', 'Same as gc --max-age, used without TASK and --retained: "2d".'],
    ['gc.max_tasks', 'Same as gc --max-tasks, used likewise: 100.'],
    ['gc.max_space', 'Same as gc --max-space, used likewise: "20G".'],
    ['color', '"never": no colour; "auto": on terminals.'],
    ['pager', 'Same as THERMOS_PAGER; "" for none.'],
    [
      'masters',
      'Mesos masters by a name, which --master, THERMOS_MASTER and TASK words (NAME/ROLE/ENV/JOB) may then give: {"west": "zk://zk-1,zk-2/mesos"}. They are asked only where they are named.',
    ],
    [
      'credentials_file',
      'Same as --credentials-file, for agents and masters that are asked: an absolute path.',
    ],
  ],
  example: ['{', '  "roots": ["/srv/thermos"],', '  "gc": {"max_age": "14d", "max_space": "20G"}', '}'],
  notes: [
    'An unknown key or a value of the wrong type is an error with file, line and key, and exit code 2. A file is used only if nobody but root and you can have written it: its owner, and the write bits of the file and of its directories count. For root, that means files of root only; stderr says which file is not used, and why.',
  ],
};
