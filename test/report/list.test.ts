import { describe, expect, it } from 'vitest';
import { inOrder, type ListedTask, listedTask, type TaskList } from '../../src/report/list/list.js';
import { listPage } from '../../src/report/list/list-page.js';
import { failedTask, MADE_MS } from './reports.js';

function task(changes: Partial<ListedTask>): ListedTask {
  return { ...listedTask(failedTask(), 'task/x/index.html', 'web'), ...changes };
}

function list(tasks: readonly ListedTask[], problems: readonly string[] = []): TaskList {
  return { made_ms: MADE_MS, made_by: 'thermos 1.0.0', hostname: 'host-1', tasks, problems };
}

describe('the list of tasks', () => {
  it('has what a row shows of a task', () => {
    expect(listedTask(failedTask(), 'task/x/index.html', 'web')).toEqual({
      task_id: 'www-data-prod-web-0',
      root: '/var/run/thermos',
      href: 'task/x/index.html',
      phase: 'finished',
      state: 'FAILED',
      verdict: 'ok',
      user: 'www-data',
      launched_ms: MADE_MS - 60_000,
      state_ms: MADE_MS - 29_000,
      processes: 3,
      succeeded: 1,
      failed: 1,
      failing: 'web',
    });
    const odd = failedTask({ state_timestamp_ms: '9223372036854775807', launch_time_ms: undefined });
    expect(listedTask(odd, 'x', undefined)).toMatchObject({ state_ms: undefined, launched_ms: undefined });
  });

  it('is in this order: failed tasks, others that need attention, those that run, those that are over', () => {
    const tasks = [
      task({ task_id: 'over', state: 'SUCCESS' }),
      task({ task_id: 'runs', state: 'ACTIVE', phase: 'active' }),
      task({ task_id: 'gone', state: 'ACTIVE', phase: 'active', verdict: 'runner-gone' }),
      task({ task_id: 'old', state: 'FAILED', state_ms: 1 }),
      task({ task_id: 'unknown-time', state: 'LOST', state_ms: undefined }),
      task({ task_id: 'new', state: 'FAILED', state_ms: 2 }),
      task({ task_id: 'killed', state: 'KILLED' }),
    ];
    expect(inOrder(tasks).map(({ task_id }) => task_id)).toEqual([
      'new',
      'old',
      'unknown-time',
      'gone',
      'runs',
      'killed',
      'over',
    ]);
  });

  it('is a page with a table that needs no script, and nothing in it is loaded or run', () => {
    const html = listPage(list([task({}), task({ task_id: 'b', verdict: 'unknown', failing: undefined })]));
    expect(html).toContain('<title>2 tasks · host-1</title>');
    expect(html.match(/<tr>/g)).toHaveLength(3);
    expect(html).toContain('<a href="task/x/index.html"');
    expect(html).toContain('2 tasks: 1 FAILED, 1 FAILED (unknown)');
    expect(html).toContain("default-src 'none'");
    expect(html.match(/<(?:script|style)(?! ?>)/g)).toBeNull();
    expect(html).not.toMatch(/ on[a-z]+=|https?:(?!\/\/www\.w3\.org)|http-equiv="refresh"/);
    expect(listPage(list([task({})]), { refresh: 5 })).toContain('<meta http-equiv="refresh" content="5"');
  });

  it('escapes what it shows', () => {
    const bad = '"><img src=x onerror=alert(1)>\u202e</script>';
    const html = listPage(
      list([task({ task_id: bad, user: bad, state: bad, verdict: bad, failing: bad, root: bad })], [bad]),
    );
    expect(html).not.toContain('<img');
    expect(html).not.toContain('\u202e');
    expect(html.match(/<\/script>/g)).toHaveLength(html.match(/<script>/g)?.length ?? 0);
  });

  it('says that there are none, and why they may not be all', () => {
    const html = listPage(list([], ['error: cannot list /root: permission denied']));
    expect(html).toContain('No tasks.');
    expect(html).toContain('<li>error: cannot list /root: permission denied</li>');
    expect(html).not.toContain('<table');
  });
});
