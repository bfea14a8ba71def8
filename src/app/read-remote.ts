import type { AgentTasks } from '../agent/gatherer.js';
import { RemoteStream, type Unread } from '../agent/remote-stream.js';
import type { Sandbox } from '../agent/sandbox.js';
import { RecordLister } from '../checkpoint/follow.js';
import { Replay } from '../checkpoint/replay.js';
import { NotFoundError, SystemError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { processOfName, RUNNER } from '../layout/task-paths.js';
import { nameOf } from '../store/paths.js';
import { damagedCheckpoint, replacedCheckpoint } from '../task/checkpoint-problems.js';
import { type RecordReceiver, type Replayed, replayed } from './read-checkpoint.js';
import { onlyTask } from './search.js';

/** How often a stream that is followed is asked for. */
const LOOK_MS = 1000;

/**
 * As `readCheckpoint`, from the agent that has the checkpoint: an absolute path on its host, or a word for one task.
 * Rejects with NotFoundError, UsageError and SystemError.
 */
export async function readRemote(word: string, agents: AgentTasks): Promise<Replayed> {
  const { path, sandbox, problems } = await streamOf(word, agents);
  const replay = new Replay({ history: true, coordinator: processOfName(nameOf(path)) !== undefined });
  const { damage, unread } = await new RemoteStream(path, replay).refresh(
    sandbox,
    await sizeOf(sandbox, path),
  );
  if (unread !== undefined) throw notGiven(path, sandbox, unread);
  const read = replayed(path, replay, damage);
  return { ...read, problems: [...problems, ...read.problems] };
}

/** As `listRecords`, from the agent that has the checkpoint. `pause`: waits for a number of milliseconds. */
export async function listRemoteRecords(
  word: string,
  follow: boolean,
  agents: AgentTasks,
  receiver: RecordReceiver,
  pause: (ms: number) => Promise<unknown>,
): Promise<Problem | undefined> {
  const { path, sandbox } = await streamOf(word, agents);
  const lister = new RecordLister(receiver.record);
  let stream = new RemoteStream(path, lister);
  for (;;) {
    sandbox.forgetAll();
    const size = await sizeOf(sandbox, path);
    if (size < stream.position) {
      lister.restart();
      stream = new RemoteStream(path, lister);
      receiver.replaced(replacedCheckpoint(path, 'shortened'));
    }
    const { damage, unread } = await stream.refresh(sandbox, size);
    if (unread !== undefined) throw notGiven(path, sandbox, unread);
    receiver.flush();
    const isOver = lister.over || damage?.kind === 'damaged' || !follow;
    if (isOver) return damage && damagedCheckpoint(path, damage, lister.over);
    await pause(LOOK_MS);
  }
}

interface NamedStream {
  path: string;
  sandbox: Sandbox;
  problems: readonly Problem[];
}

async function streamOf(word: string, agents: AgentTasks): Promise<NamedStream> {
  if (!word.startsWith('/')) {
    const selection = await agents.find([word], 'look');
    const { checkpoint_dir, root } = onlyTask(word, selection);
    return { path: `${checkpoint_dir}/${RUNNER}`, sandbox: agents.sandboxOf({ root }), problems: [] };
  }
  const given = word.replace(/\/+$/, '');
  const sandbox = await agents.sandboxAround(given);
  const { problems } = agents;
  if (sandbox === undefined) {
    throw new NotFoundError(
      'checkpoint-missing',
      `${word} is in no sandbox of the agents`,
      "see where their tasks are: 'thermos roots' with the same --agent",
      problems,
    );
  }
  const entry = await sandbox.entry(given);
  const isDirectory = typeof entry !== 'string' && entry.kind === 'directory';
  return { path: isDirectory ? `${given}/${RUNNER}` : given, sandbox, problems };
}

async function sizeOf(sandbox: Sandbox, path: string): Promise<number> {
  const entry = await sandbox.entry(path);
  if (entry === 'absent') {
    throw new NotFoundError('checkpoint-missing', `there is no checkpoint ${path} on the agent`);
  }
  if (entry === 'refused') throw notGiven(path, sandbox, 'refused');
  if (entry.kind === 'file') return entry.size;
  throw new SystemError('checkpoint-unreadable', `${path} is not a regular file: it cannot be a checkpoint`);
}

function notGiven(path: string, { failure }: Sandbox, why: Unread): SystemError {
  const because =
    failure?.message ??
    (why === 'refused' ? 'the agent does not let you read it' : 'it is too long to be read');
  return new SystemError('checkpoint-unreadable', `cannot read ${path}: ${because}`, failure?.hint);
}
