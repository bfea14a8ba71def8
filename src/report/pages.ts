/**
 * What makes pages: the entry of a bundle of its own, because only `report` and the viewer need it. A command loads it by
 * `await import('../report/pages.js')`.
 */
export { listPage } from './list/list-page.js';
export { type TaskPageOptions, taskPage } from './page/task-page.js';
