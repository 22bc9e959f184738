/** Long work in slices of time, so that the page goes on. */

const SLICE_MS = 12;

/**
 * Run a generator to its end; between slices of time others get their turn.
 * @template T
 * @param {Generator<undefined, T>} work
 * @param {() => boolean} isStale whether nobody wants the result any more
 * @returns {Promise<T | null>} null when it was given up
 */
export async function inSlices(work, isStale) {
  let until_ms = performance.now() + SLICE_MS;
  for (;;) {
    if (isStale()) return null;
    const { done, value } = work.next();
    if (done) return value;
    if (performance.now() < until_ms) continue;
    await new Promise((resume) => setTimeout(resume));
    until_ms = performance.now() + SLICE_MS;
  }
}
