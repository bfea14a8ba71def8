import { programOf } from '../cli/dispatch.js';
import { COMMANDS } from './index.js';

/** The program that `main` loads. */
export const { dispatch, commandOf } = programOf(COMMANDS);
