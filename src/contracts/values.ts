import { z } from 'zod';

/** A 64-bit integer of a checkpoint: a number where JSON readers keep it exact, else its decimal digits. */
export const integer64 = z.union([z.int(), z.string().regex(/^-?[0-9]{16,19}$/)]).meta({
  id: 'Integer64',
  description: 'A 64-bit integer; beyond 2^53 a string of decimal digits.',
});

/** Seconds since the epoch. A checkpoint may hold any double; JSON cannot represent three of them. */
export const seconds = z
  .union([z.number(), z.enum(['nan', 'inf', '-inf'])])
  .meta({ id: 'Seconds', description: 'Seconds since the epoch, with full precision.' });

/** A map by names that come from outside; any string may be a name. */
export const names = <T extends z.ZodType>(value: T) => z.record(z.string(), value);

/** The programs that watch the processes of a task. */
export const coordinator = z
  .enum(['native', 'js'])
  .describe('What watches the processes of tasks here: the program in C, or Node.');
