/** The entry of every program must import this first. */
import { refuseDebugger } from './debugger.js';

refuseDebugger();
