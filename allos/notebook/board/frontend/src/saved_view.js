/**
 * What a person has chosen, as JSON for the widget's `view`: it is there again after a reload of the page. Its
 * names are strings, so that no build shortens them. Pure.
 *
 * @import { Diff, FilterName, Mode, Sort, ViewState } from "./view_state.js"
 */

import { UNITS } from "./view_state.js";

const MODES = ["columns", "grid", "table", "focus"];
const FILTERS = ["all", "different", "errors", "slow", "rated"];

/** @param {ViewState} view */
export const packed = (view) => ({
  "mode": view.mode,
  "before": view.before,
  "row": view.row,
  "column": view.column,
  "filter": view.filter,
  "query": view.query,
  "diff": view.diff && [view.diff.unit, view.diff.base],
  "sort": view.sort && [view.sort.by, view.sort.isDown],
  "order": view.order,
  "pinned": [...view.pinned],
  "hidden": [...view.hidden],
  "expanded": [...view.expanded],
  "samples": [...view.samples],
});

/**
 * A view with what was saved of it; what is not valid stays as it was.
 * @param {ViewState} view
 * @param {any} saved
 * @returns {ViewState}
 */
export function restored(view, saved) {
  if (!MODES.includes(saved?.["mode"])) return view;
  const strings = (/** @type {string} */ name) => asList(saved[name]).filter((each) => typeof each === "string");
  const string = (/** @type {string} */ name) => (typeof saved[name] === "string" ? saved[name] : null);
  const [unit, base] = asList(saved["diff"]);
  const [by, isDown] = asList(saved["sort"]);
  return {
    ...view,
    mode: /** @type {Mode} */ (saved["mode"]),
    before: MODES.includes(saved["before"]) ? saved["before"] : view.before,
    row: string("row"),
    column: string("column"),
    filter: /** @type {FilterName} */ (FILTERS.includes(saved["filter"]) ? saved["filter"] : "all"),
    query: string("query") ?? "",
    diff: UNITS.includes(unit) ? /** @type {Diff} */ ({ unit, base: String(base) }) : null,
    unit: UNITS.includes(unit) ? unit : view.unit,
    sort: typeof by === "string" ? /** @type {Sort} */ ({ by, isDown: isDown === true }) : null,
    order: strings("order"),
    pinned: new Set(strings("pinned")),
    hidden: new Set(strings("hidden")),
    expanded: new Set(strings("expanded")),
    samples: new Map(asList(saved["samples"]).filter((each) => asList(each).length === 2)),
  };
}

/** @param {unknown} value @returns {any[]} */
const asList = (value) => (Array.isArray(value) ? value : []);
