/** To be imported first of all by the entry of every program. */
import { refuseDebugger } from './debugger.js';

refuseDebugger();
