import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { AGENT_ENVIRONMENT, AGENT_FLAGS } from '../cli/agent-flags.js';
import { PAGER_ENVIRONMENT, ThermosCommand } from '../cli/base-command.js';
import { readerOf } from '../cli/read.js';
import { RecordPrinter } from '../cli/records.js';
import { encodeRead } from '../contracts/encode.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError } from '../errors/problem.js';
import { readText } from '../views/read.js';

export default class Read extends ThermosCommand {
  static override summary = 'Replay one checkpoint file.';
  static override description =
    `Shows the state that the records of a checkpoint add up to: the header, every state of the task, every run of
every process. With --records, prints the records themselves as they are on disk, one per line.

CHECKPOINT is ROOT/checkpoints/TASK_ID/runner, a coordinator.PROCESS beside it, or their directory; or a task, as other
commands name it. For a damaged
checkpoint, shows the part before the damage, and where the damage starts. If there are very many runs or task
statuses, shows the first and the last ones and how many are left out; --records lists all.

With --agent or --master, a path is an absolute one in a sandbox on the host of an agent. A task that is named by
CLUSTER/ROLE/ENV/JOB/INSTANCE needs no flag.`;
  static override examples = [
    '<%= config.bin %> read /var/run/thermos/checkpoints/www-data-prod-web-0/runner',
    '<%= config.bin %> read --records --json runner | jq -c "select(.type == \\"task_status\\").value"',
    '<%= config.bin %> read --follow runner',
  ];
  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT, ...PAGER_ENVIRONMENT };
  static override seeAlso = ['inspect', 'status'];

  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    no: 'There is no such file.',
  };

  static override args = {
    checkpoint: Args.string({ required: true, ignoreStdin: true, description: 'The file to read.' }),
  };

  static override flags = {
    records: Flags.boolean({ aliases: ['simple'], summary: 'List the records instead of replaying them.' }),
    follow: Flags.boolean({
      char: 'f',
      summary: 'List the records, then new ones as they are appended, until the task is over.',
    }),
    ...AGENT_FLAGS,
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Read);
    const read = await readerOf(args.checkpoint, flags, this.terminal);
    if (flags.records || flags.follow) {
      const printer = new RecordPrinter(this.terminal, flags.json);
      const damage = await read.list(flags.follow, printer);
      printer.flush();
      if (damage !== undefined) printer.problem(damage);
      return damage !== undefined && hasError([damage]) ? EXIT.partial : EXIT.ok;
    }
    const { state, records, bytes, problems } = await read.replay();
    return this.pagedAnswer(
      flags,
      encodeRead(state, records, bytes, problems),
      (style) => readText(state, records, bytes, style),
      problems,
    );
  }
}
