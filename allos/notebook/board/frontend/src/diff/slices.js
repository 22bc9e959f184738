/** Long work in slices of time, so that the page goes on. */

const SLICE_MS = 20;

/** All works take turns in one slice: many at once must not be as long as all of them. */
let until_ms = 0;
/** The work before, at its end. @type {Promise<unknown>} */
let last = Promise.resolve();

/**
 * Run a generator to its end, behind those that were given before; between slices of time others get their turn.
 * @template T
 * @param {Generator<undefined, T>} work
 * @param {() => boolean} isStale whether nobody wants the result any more
 * @returns {Promise<T | null>} null when it was given up
 */
export function inSlices(work, isStale) {
  const result = last.then(() => run(work, isStale));
  last = result.catch(() => {}); // whoever waits for the result hears of it
  return result;
}

/** End the slice: what was done costs the page more than the time that it took. */
export function endSlice() {
  until_ms = 0;
}

/** @template T @param {Generator<undefined, T>} work @param {() => boolean} isStale @returns {Promise<T | null>} */
async function run(work, isStale) {
  for (;;) {
    if (performance.now() > until_ms) {
      await new Promise((resume) => setTimeout(resume));
      until_ms = performance.now() + SLICE_MS;
    }
    if (isStale()) return null;
    const { done, value } = work.next();
    if (done) return value;
  }
}
