import { hostname } from 'node:os';
import type { TaskGatherer } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import { hostHead } from '../views/ui.js';
import { say } from './failure.js';
import { keysKey, sortKeys } from './list-keys.js';
import { type ListContent, MARK } from './list-screen.js';
import { RunList } from './run-list.js';
import { lineId, StatusList } from './status-list.js';
import type { Terminal } from './terminal.js';
import type { UiActions } from './ui-actions.js';
import { type ListEffect, type ListKey, type ListRequest, watchList } from './watch-list.js';
import type { StatusFlags, WatchedTasks } from './watched-tasks.js';

/** What the list of `ui` is of. */
export interface UiPorts {
  tasks: WatchedTasks;
  gatherer: TaskGatherer;
  actions: UiActions;
}

/** Shows the tasks, and what is in them, on a screen of its own. Resolves to the exit code. */
export async function watchUi(
  ports: UiPorts,
  flags: StatusFlags,
  terminal: Terminal,
  intervalMs: number,
): Promise<number> {
  const { exitCode, notes } = await watchList(terminal, intervalMs, new UiList(ports, flags, terminal));
  for (const note of notes) say(terminal, note);
  return exitCode;
}

/** The tasks, as `status` shows them, one of which is selected. */
class UiList extends StatusList {
  override readonly keys: readonly ListKey[];
  readonly #ports: UiPorts;
  readonly #terminal: Terminal;
  /** Those that are shown, by the ids of their lines. */
  #byId = new Map<string, TaskView>();

  constructor(ports: UiPorts, flags: StatusFlags, terminal: Terminal) {
    super(ports.tasks, flags, () => terminal.now());
    this.#ports = ports;
    this.#terminal = terminal;
    const { actions } = ports;
    const key = (letter: string, hint: string, effect: (view: TaskView) => ListEffect): ListKey => ({
      letter,
      hint,
      onSelected: true,
      press: (selected) => this.#with(selected, effect),
    });
    this.keys = [
      keysKey(KEYS),
      key('w', 'why', (view) => actions.why(view)),
      key('l', 'log', (view) => actions.log(view)),
      key('k', 'kill', (view) => actions.kill(view)),
      { letter: 't', hint: 'top', press: (selected) => actions.top(this.#remote(selected)) },
      key('e', 'exec', (view) => actions.exec(view)),
      key('i', 'inspect', (view) => actions.inspect(view)),
      key('r', 'report', (view) => actions.report(view)),
    ];
  }

  listen(changed: () => void): void {
    this.#ports.actions.listen(changed);
  }

  enter(selected: string | undefined): ListEffect {
    const { gatherer, actions } = this.#ports;
    return this.#with(selected, (view) => {
      const now = () => this.#terminal.now();
      return { open: new RunList(view, gatherer.source(view.found), actions, now) };
    });
  }

  override content(request: ListRequest): ListContent {
    const { style } = request;
    const width = style.width && style.width - MARK;
    const content = super.content({ ...request, style: { ...style, width } });
    this.#byId = new Map(this.shown.map((view) => [lineId(view), view]));
    const { summary, notes } = content;
    return {
      ...content,
      summary: hostHead(this.#where(), summary, style),
      names: undefined,
      ids: [...this.#byId.keys()],
      notes: [...this.#ports.actions.news, ...notes],
    };
  }

  #with(selected: string | undefined, effect: (view: TaskView) => ListEffect): ListEffect {
    const view = this.#byId.get(selected ?? '');
    return view === undefined ? 'redraw' : effect(view);
  }

  /** The selected task, if it is elsewhere. */
  #remote(selected: string | undefined): TaskView | undefined {
    const view = this.#byId.get(selected ?? '');
    return view?.root.agent === undefined ? undefined : view;
  }

  /** This host, or the agents that are asked. */
  #where(): string {
    const { agents: asked, roots } = this.#ports.tasks.answer;
    if (asked === undefined) return hostname();
    const agents = new Set([
      ...roots.flatMap(({ agent }) => agent?.hostname || agent?.url || []),
      ...this.silent.map(({ agent }) => agent),
    ]);
    if (agents.size === 0) return asked.length === 1 ? '1 agent' : `${asked.length} agents`;
    return agents.size > 3 ? `${agents.size} agents` : [...agents].join(', ');
  }
}

const KEYS = `${sortKeys('R')}
Enter            the processes of the selected task, and their runs
w                why the task is in its state
l                its logs
k                end it, after a question
t                what the active tasks use
e                a shell beside its first process that runs
i                inspect it
r                write its page`;
