import type { Subject } from '../../src/gc/subject.js';

/** A finished task of a bare root, with logs in a sandbox in that root. */
export function subject(given: Partial<Subject> = {}): Subject {
  const place = (path: string) => ({ path, recorded: path, found: true });
  return {
    task_id: 't',
    key: {},
    layout: 'host',
    phase: 'finished',
    state: 'SUCCESS',
    root: '/root',
    rootPath: '/root',
    bases: ['/root'],
    checkpointDir: '/root/checkpoints/t',
    taskFile: '/root/tasks/finished/t',
    taskFiles: ['/root/tasks/finished/t'],
    sandbox: place('/root/sandboxes/t'),
    recordedSandbox: '/root/sandboxes/t',
    logDir: place('/root/sandboxes/t/.logs'),
    finish: { at: 0, by: 'status' },
    ran: ['p/0'],
    leftovers: [],
    stream: { dev: 1, ino: 2, size: 3, mtimeMs: 4 },
    copied: false,
    locked: false,
    marked: false,
    authors: [],
    damaged: false,
    headless: false,
    ...given,
  };
}
