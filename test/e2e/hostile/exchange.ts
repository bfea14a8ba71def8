import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { AS_ROOT, OWNER } from './tree.js';

/** The number of renameat2(2), for which neither Node nor perl have a name. */
const RENAMEAT2: Partial<Record<NodeJS.Architecture, number>> = {
  x64: 316,
  arm64: 276,
  riscv64: 276,
  loong64: 276,
  arm: 382,
  ppc64: 357,
  s390x: 347,
};

/** Exchanges two names until it is told to stop; where one is gone, until it is there again. Then says how often. */
const EXCHANGE = `my ($call, $one, $other) = @ARGV; $call += 0; $| = 1;
my ($times, $over) = (0, 0);
$SIG{TERM} = sub { $over = 1 };
alarm 600;
sub exchange { syscall($call, -100, $one, -100, $other, 2) == 0 }
exchange() or die "renameat2: $!\\n";
print "ready\\n";
until ($over) { if (exchange()) { $times++ } else { select undef, undef, undef, 0.001 } }
print "$times\\n";`;

/** A process of the task's user that exchanges two names with renameat2(RENAME_EXCHANGE), back and forth. */
export class Exchange {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #said = '';

  private constructor(one: string, other: string) {
    const call = RENAMEAT2[process.arch];
    if (call === undefined)
      throw new Error(`which number renameat2 has on ${process.arch} is not known here`);
    this.#child = spawn('perl', ['-e', EXCHANGE, String(call), one, other], {
      stdio: ['ignore', 'pipe', 'inherit'],
      ...(AS_ROOT && { uid: OWNER, gid: OWNER }),
    });
    this.#closed = once(this.#child, 'close');
    this.#child.stdout?.on('data', (text) => {
      this.#said += text;
    });
  }

  /** Resolves when it has begun. */
  static async start(one: string, other: string): Promise<Exchange> {
    const started = new Exchange(one, other);
    await Promise.race([once(started.#child.stdout as NodeJS.ReadableStream, 'data'), started.#closed]);
    if (!started.#said.startsWith('ready')) throw new Error(`${one} and ${other} can't be exchanged`);
    return started;
  }

  /** How often they were exchanged. */
  async stop(): Promise<number> {
    this.#child.kill('SIGTERM');
    await this.#closed;
    return Number(this.#said.split('\n')[1] ?? 0);
  }
}
