import type { Selection } from '../discovery/select.js';
import type { TaskView } from '../task/view.js';
import { absentTasks, type Belief, type BelievedTask, believed, checkBelief } from './check-belief.js';
import { checkEnding, type EndedTask, type MemoryEnd, mayHaveBeenEnded } from './check-ending.js';
import { checkAgents, checkRemoteTask } from './check-remote.js';
import { type Finding, findingsOf, type Symptom } from './finding.js';

/** What is wrong with agents and their tasks, taken task by task: a cluster may have very many. */
export class RemoteDiagnosis {
  readonly #now: number;
  readonly #belief: Belief;
  readonly #symptoms: Symptom[];
  /** The streams against what is believed. */
  readonly rows: BelievedTask[] = [];
  /** The tasks of which their agents may know more: why somebody ended them. */
  readonly ended: EndedTask[] = [];

  /** The tasks that the agents have, whether or not they can be read. */
  readonly #here: Set<string>;

  /** `remembered`: the tasks whose executors the agents know. */
  constructor(
    { problems, selected }: Pick<Selection, 'problems' | 'selected'>,
    remembered: Iterable<string>,
    belief: Belief,
    now: number,
  ) {
    this.#now = now;
    this.#belief = belief;
    this.#here = new Set([...remembered, ...selected.map(({ task_id }) => task_id)]);
    this.#symptoms = [...checkAgents(problems)];
  }

  add(view: TaskView): void {
    for (const each of checkRemoteTask(view, this.#now)) this.#symptoms.push(each);
    const { task_id, root, state_timestamp_ms } = view;
    const isTold = this.#belief.outOfMemory?.has(task_id) ?? false;
    if (isTold || mayHaveBeenEnded(view, this.#now)) this.ended.push({ task_id, root, state_timestamp_ms });
    // Of one that cannot be read, it is not known whether it runs.
    if (view.state !== 'UNKNOWN') this.rows.push(believed(view, this.#belief, this.#now));
  }

  /**
   * `knowsAll`: all agents have answered, so that what was not found is not there. `told`: what agents say of the ends of
   * tasks, by their ids; it is more than the scheduler says.
   */
  end(knowsAll: boolean, told: ReadonlyMap<string, MemoryEnd> = new Map()): Finding[] {
    for (const task of this.ended) {
      const end = told.get(task.task_id) ?? this.#belief.outOfMemory?.get(task.task_id);
      if (end === undefined) continue;
      for (const each of checkEnding(task, end, this.#now)) this.#symptoms.push(each);
    }
    if (knowsAll) for (const row of absentTasks(this.#here, this.#belief, this.#now)) this.rows.push(row);
    for (const each of checkBelief(this.rows, this.#belief.source)) this.#symptoms.push(each);
    return findingsOf(this.#symptoms);
  }
}
