/** The pieces of the viewer's page, as data to markup. */
import { age, timestamp } from '../../text/age.js';
import { visible } from '../../text/escape.js';
import { type Html, html } from '../page/html.js';
import { stateMark } from '../page/state.js';
import type { AgentRow } from './fleet.js';
import type { ListedRow } from './rows.js';

/** The cells of a row, as in the list of `report`, with its agent. `href`: of its task on this page. */
export function rowCells({ row, task }: ListedRow, href: string, now: number): Html {
  const { agent, view, run, refused } = row;
  const { state, verdict, task_id, user, succeeded, processes, failing, state_ms } = task;
  const known = view !== undefined;
  return html`
    <td>${known || state !== '' ? stateMark(state) : html`<span class="note">${refused ? 'not given' : 'reading…'}</span>`}${verdict !== 'ok' && html` <span class="verdict">${visible(verdict)}</span>`}</td>
    <th scope="row"><a href=${href} title=${visible(run.directory)}>${visible(task_id)}</a></th>
    <td>${visible(agent.hostname)}</td>
    <td>${known && visible(user ?? '-')}</td>
    <td>${known && `${succeeded}/${processes}`}</td>
    <td>${visible(failing ?? '')}</td>
    <td>${known && (state_ms === undefined ? '-' : html`<time datetime=${timestamp(state_ms)} title=${timestamp(state_ms)}>${age(state_ms, now)}</time>`)}</td>` as Html;
}

/** Why an agent or a master is not in the list, in words; undefined if it is. `secure`: this page came over https. */
export function troubleWith(base: string, kind: 'agent' | 'master', secure: boolean): Html {
  const address = visible(base);
  if (secure && base.startsWith('http:')) {
    return html`<p><b>${address}</b> was not asked: a page that came over https loads nothing over http. Open this page from disk.</p>`;
  }
  return html`<p><b>${address}</b> does not answer as ${kind === 'agent' ? 'an agent' : 'a master'}. It cannot be reached
    from this browser, it is something else, it is starting, or it asks for a password, which this page cannot give it.
    What it says: <a href=${`${base}/state`} target="_blank" rel="noreferrer noopener">${address}/state</a></p>`;
}

/** Agents whose answer has runs that are not shown. */
export function leftOutBy({ base, leftOut }: AgentRow): Html {
  return html`<p><b>${visible(base)}</b> lists ${leftOut} sandboxes that are not shown: their directories are not those of an agent, or there are too many.</p>`;
}

/** One line about what the list has. */
export function summaryOf(agents: readonly AgentRow[], tasks: number, shown: number, unread: number): string {
  const count = (answer: AgentRow['answer']) => agents.filter((agent) => agent.answer === answer).length;
  const parts = [`${count('ok')} of ${agents.length} agents answered`];
  if (count('asked') > 0) parts.push(`${count('asked')} are asked`);
  parts.push(shown === tasks ? `${tasks} tasks` : `${shown} of ${tasks} tasks shown`);
  if (unread > 0) parts.push(`${unread} still to be read`);
  return parts.join(' · ');
}
