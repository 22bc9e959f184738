/**
 * What a person has opened, chosen and turned to in one view of a board. It is kept by the keys of cells,
 * columns and rows, apart from what the kernel tells, so that no message can lose it.
 *
 * @import { Snapshot } from "./protocol.js"
 *
 * @typedef {"columns" | "grid" | "table" | "focus"} Mode
 * @typedef {"all" | "different" | "errors" | "slow" | "rated"} FilterName
 * @typedef {"words" | "sentences" | "json" | "only"} DiffUnit `only`: what no other column says
 * @typedef {{unit: DiffUnit, base: string}} Diff `base`: key of a column, REPEATS or RUN
 * @typedef {{by: string, isDown: boolean}} Sort
 * @typedef {"AddModel" | "Arrange" | "Help"} Panel a part of the second script
 *
 * @typedef {object} ViewState
 * @property {Mode} mode
 * @property {Mode} before the view that Focus returns to
 * @property {ReadonlySet<string>} expanded keys of long texts that are shown whole: of cells, and PROMPT, SYSTEM
 * @property {ReadonlyMap<string, number>} samples which repeat is shown, by the place of its cell
 * @property {string | null} row key of the prompt that Columns and Focus show; the first one that is shown
 * @property {string | null} column key of the column that Focus shows; the first one
 * @property {FilterName} filter
 * @property {string} query
 * @property {Diff | null} diff
 * @property {DiffUnit} unit the last one chosen
 * @property {Sort | null} sort
 * @property {readonly string[]} order keys of columns that were moved or pinned; others follow
 * @property {ReadonlySet<string>} pinned
 * @property {ReadonlySet<string>} hidden
 * @property {Panel | null} panel what is open below the toolbar
 */

/** @type {readonly DiffUnit[]} */
export const UNITS = ["words", "sentences", "json", "only"];

export const PROMPT = "prompt";
export const SYSTEM = "system";
/** Base of a difference: another repeat of the same call. */
export const REPEATS = "repeats";
/** Base of a difference: the same model in the run before. */
export const RUN = "run";

/** @type {ViewState} */
export const INITIAL_VIEW = {
  mode: "columns",
  before: "columns",
  expanded: new Set(),
  samples: new Map(),
  row: null,
  column: null,
  filter: "all",
  query: "",
  diff: null,
  unit: "words",
  sort: null,
  order: [],
  pinned: new Set(),
  hidden: new Set(),
  panel: null,
};

/** What a new view of a board shows; of several runs what has changed most. @param {Pick<Snapshot, "rows" | "columns">} snapshot @returns {ViewState} */
export function initialView({ rows, columns }) {
  const view = columns.some(({ run }) => run)
    ? { ...INITIAL_VIEW, diff: { unit: INITIAL_VIEW.unit, base: RUN }, sort: { by: "change", isDown: false } }
    : INITIAL_VIEW;
  return rows.length > 1 ? { ...view, mode: "grid", before: "grid" } : view;
}

/**
 * @template T
 * @param {ReadonlySet<T>} set
 * @param {T} item
 * @returns {Set<T>} with the item where it was not, without it where it was
 */
function toggled(set, item) {
  const next = new Set(set);
  if (!next.delete(item)) next.add(item);
  return next;
}

/**
 * @param {ViewState} view
 * @param {string} key
 * @returns {ViewState}
 */
export const toggleExpanded = (view, key) => ({ ...view, expanded: toggled(view.expanded, key) });

/**
 * @param {ViewState} view
 * @param {string} place see `placeOf`
 * @param {number} sample
 * @returns {ViewState}
 */
export const showSample = (view, place, sample) => ({
  ...view,
  samples: new Map(view.samples).set(place, sample),
});

/** @param {ViewState} view @param {Mode} mode @returns {ViewState} */
export function showMode(view, mode) {
  if (mode === view.mode) return view;
  return { ...view, mode, before: view.mode === "focus" ? view.before : view.mode };
}

/**
 * Show one answer alone.
 * @param {ViewState} view
 * @param {string | null} column
 * @param {string | null} row
 * @returns {ViewState}
 */
export function focusOn(view, column, row) {
  return { ...showMode(view, "focus"), column: column ?? view.column, row: row ?? view.row };
}

/**
 * Turn differences on or off.
 * @param {ViewState} view
 * @param {string} base
 * @returns {ViewState}
 */
export const toggleDiff = (view, base) => ({
  ...view,
  diff: view.diff ? null : { unit: view.unit, base },
});

/**
 * What differences are shown against, at first: the run before, the first column, or another repeat.
 * @param {readonly {key: string, run: string}[]} columns
 * @param {boolean} hasRepeats
 */
export function defaultBase(columns, hasRepeats) {
  if (columns.some(({ run }) => run)) return RUN;
  return columns.length > 1 || !hasRepeats ? (columns[0]?.key ?? REPEATS) : REPEATS;
}

/** @param {ViewState} view @param {Partial<Diff>} part @returns {ViewState} */
export function changeDiff(view, part) {
  if (!view.diff) return view;
  const diff = { ...view.diff, ...part };
  return { ...view, diff, unit: diff.unit };
}

/** Sort by something; the same again turns the order round. @param {ViewState} view @param {string} by @returns {ViewState} */
export function sortBy(view, by) {
  if (view.sort?.by !== by) return { ...view, sort: { by, isDown: false } };
  return { ...view, sort: view.sort.isDown ? null : { by, isDown: true } };
}

/**
 * Move a column by some places among those that are shown.
 * @param {ViewState} view
 * @param {readonly string[]} shown keys, in the order of now
 * @param {string} key
 * @param {number} step
 * @returns {ViewState}
 */
export function moveColumn(view, shown, key, step) {
  const order = shown.filter((other) => other !== key);
  order.splice(Math.max(0, shown.indexOf(key) + step), 0, key);
  return { ...view, order };
}

/** Open a panel, or close it. @param {ViewState} view @param {Panel} panel @returns {ViewState} */
export const togglePanel = (view, panel) => ({ ...view, panel: view.panel === panel ? null : panel });

/** @param {ViewState} view @param {string} key @returns {ViewState} */
export const togglePinned = (view, key) => ({ ...view, pinned: toggled(view.pinned, key) });

/** @param {ViewState} view @param {string} key @returns {ViewState} */
export const hideColumn = (view, key) => ({ ...view, hidden: new Set(view.hidden).add(key) });
