import type { DiskPlaces, DiskSize } from './disk-measure.js';

/** To the thread: measure this. */
export interface DiskRequest extends DiskPlaces {
  readonly key: string;
}

/** From the thread. Without a size, the place cannot be measured. */
export interface DiskAnswer {
  readonly key: string;
  readonly size?: DiskSize;
}
