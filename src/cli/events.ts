import { setTimeout as sleep } from 'node:timers/promises';
import { followEvents } from '../app/events.js';
import { localTransitions } from '../app/local-transitions.js';
import type { RootFlags } from '../app/search.js';
import { encodeEvent } from '../contracts/encode-event.js';
import type { Problem } from '../errors/problem.js';
import type { TaskTransition, TransitionWatch } from '../task/transition-watch.js';
import { jsonText } from '../text/json.js';
import { parseTime } from '../text/time.js';
import type { AgentFlags } from './agent-flags.js';
import { type AskedAgents, agentsOf } from './agents.js';
import { EventCommand } from './event-command.js';
import { say } from './failure.js';
import { Interruption } from './interruption.js';
import type { Terminal } from './terminal.js';

export interface EventFlags extends RootFlags, AgentFlags {
  state?: readonly string[];
  since?: string;
  'no-follow': boolean;
  exec?: string;
  json: boolean;
}

/** Text is written in pieces of about this many characters. */
const PIECE = 64 * 1024;

/** Prints transitions of the tasks that the words select, until a signal; resolves to the exit code. */
export async function showEvents(
  words: readonly string[],
  flags: EventFlags,
  terminal: Terminal,
  report: (problems: readonly Problem[]) => void,
): Promise<number> {
  const now = () => terminal.now();
  const sinceMs = flags.since === undefined ? now() : parseTime(flags.since, 'since', now());
  const textOf = await drawing(flags, terminal);
  const warn = (text: string) => say(terminal, `warning: ${text}`);
  const command = flags.exec === undefined ? undefined : new EventCommand(flags.exec, process.env, warn);
  const agents = await agentsOf(flags, terminal, words);
  const interruption = new Interruption();
  interruption.listen();
  let isOver = false;
  const run = async (transition: TaskTransition, command: EventCommand) => {
    terminal.write(textOf(transition));
    await command.run(transition);
  };
  try {
    return await followEvents(
      { states: flags.state, follow: !flags['no-follow'] },
      {
        watch:
          agents === undefined
            ? localTransitions(flags, words, sinceMs, { now, clock: () => performance.now() })
            : await remoteTransitions(agents, words, sinceMs),
        pause: (until) => interruption.wait(until),
        async take(transitions) {
          if (command === undefined) writeAll(transitions, textOf, terminal);
          else for (const transition of transitions) if (!isOver) await run(transition, command);
        },
        report,
        answering(urls) {
          for (const url of urls) say(terminal, `the agent ${url} answers again`);
        },
        started: (tasks) => {
          if (terminal.stdoutIsTerminal && terminal.stderrIsTerminal) say(terminal, startText(tasks));
        },
        isClosed: () => terminal.isClosed(),
      },
    );
  } finally {
    isOver = true;
    await command?.stop();
    interruption.close();
    agents?.close();
  }
}

async function remoteTransitions(
  { gatherer }: AskedAgents,
  words: readonly string[],
  sinceMs: number,
): Promise<TransitionWatch> {
  const { RemoteTransitions } = await import('../agent/transitions.js');
  return new RemoteTransitions(gatherer, words, sinceMs, {
    now: () => performance.now(),
    pause: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
  });
}

async function drawing(
  { json }: EventFlags,
  terminal: Terminal,
): Promise<(transition: TaskTransition) => string> {
  if (json) return (transition) => `${jsonText(encodeEvent(transition))}\n`;
  const { EventLines } = await import('../views/events.js');
  const lines = new EventLines(terminal.style(1));
  return (transition) => lines.text(transition);
}

function writeAll(
  transitions: readonly TaskTransition[],
  textOf: (transition: TaskTransition) => string,
  terminal: Terminal,
): void {
  let piece = '';
  for (const transition of transitions) {
    piece += textOf(transition);
    if (piece.length < PIECE) continue;
    terminal.write(piece);
    piece = '';
  }
  terminal.write(piece);
}

function startText(tasks: number): string {
  const active = tasks === 1 ? '1 active task' : `${tasks} active tasks`;
  return `Following ${active}, and those that start; Ctrl-C ends it.`;
}
