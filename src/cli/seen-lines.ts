/**
 * Which line a key can mean that came when a frame was shown. While the program is busy, keys wait, and the list may change
 * before they are heard: then they mean what was marked when they were typed, and nothing that nobody has seen.
 */
export class SeenLines {
  #ids: readonly string[] | undefined;
  #marked: string | undefined;
  /** The first frame in which the lines were what they are, unless keys have changed them. */
  #since = 0;
  /** What was marked before that. */
  #before: string | undefined;

  /** A look has found these lines; `frame` will be the first one that shows them. */
  found(ids: readonly string[] | undefined, frame: number): void {
    if (ids?.length === this.#ids?.length && ids?.every((id, at) => id === this.#ids?.[at])) return;
    this.#since = frame;
    this.#before = this.#marked;
  }

  /** These lines are shown, and one of them is marked. */
  drawn(ids: readonly string[] | undefined, marked: string | undefined): void {
    this.#ids = ids;
    this.#marked = marked;
  }

  /** Can a key that came when a frame was shown mean this line? */
  canMean(id: string, frame: number): boolean {
    return frame >= this.#since || id === this.#before;
  }
}
