import { UsageError } from '../errors/errors.js';
import { authorsOf } from '../host/authors.js';
import { mesosIdsOf } from '../layout/mesos.js';
import { type Place, pathsOf } from '../layout/task-paths.js';
import { parentOf } from '../store/paths.js';

/**
 * What somebody else may have written must not run as the user that it names, nor say what of that user's is
 * killed. Returns the error `task-untrusted` then. Of a Mesos task the run directory is its user's.
 */
export function distrust(place: Place, uid: number | undefined): UsageError | undefined {
  const { root, taskId } = place;
  const { directory, stream, active } = pathsOf(place);
  const around = [root, `${root}/checkpoints`, `${root}/tasks`, `${root}/tasks/active`];
  const runDirectory = parentOf(root);
  if (mesosIdsOf(runDirectory) !== undefined) around.push(runDirectory);
  const author = authorsOf([...around, directory, stream, active]).find((each) => each !== uid);
  if (author === undefined) return undefined;
  const whose = uid === undefined ? 'does not say whose it is' : `runs as uid ${uid}`;
  const message = `task ${taskId} ${whose}, and its files may have been written by uid ${author}`;
  const hint =
    'if they are right, give them and the directories around them to root or to the user of the task';
  return new UsageError('task-untrusted', message, hint);
}
