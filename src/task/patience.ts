/** Resolves when the work is over, whether it succeeds or not, or after a number of milliseconds. */
export function within(work: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const over = () => {
      clearTimeout(timer);
      resolve();
    };
    work.then(over, over);
  });
}
