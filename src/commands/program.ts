import { programOf } from '../cli/dispatch.js';
import { COMMANDS } from './index.js';

/** What `main` loads. */
export const { dispatch, commandOf } = programOf(COMMANDS);
