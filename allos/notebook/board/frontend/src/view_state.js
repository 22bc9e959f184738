/**
 * What a person has opened and turned to in one view of a board. It is kept by the keys of cells and
 * columns, apart from what the kernel tells, so that no message can lose it.
 *
 * @typedef {object} ViewState
 * @property {ReadonlySet<string>} expanded keys of long texts that are shown whole: of cells, and PROMPT, SYSTEM
 * @property {ReadonlyMap<string, number>} samples which repeat is shown, by the column's key
 */

export const PROMPT = "prompt";
export const SYSTEM = "system";

/** @type {ViewState} */
export const INITIAL_VIEW = { expanded: new Set(), samples: new Map() };

/**
 * @param {ViewState} view
 * @param {string} key
 * @returns {ViewState}
 */
export function toggleExpanded(view, key) {
  const expanded = new Set(view.expanded);
  if (!expanded.delete(key)) expanded.add(key);
  return { ...view, expanded };
}

/**
 * @param {ViewState} view
 * @param {string} column
 * @param {number} sample
 * @returns {ViewState}
 */
export function showSample(view, column, sample) {
  return { ...view, samples: new Map(view.samples).set(column, sample) };
}
