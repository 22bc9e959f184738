/**
 * What each answer is compared with.
 *
 * @import { Compared } from "./diff/marker.js"
 * @import { Column } from "./protocol.js"
 * @import { Facts } from "./select.js"
 * @import { CellState } from "./state.js"
 * @import { Diff, ViewState } from "./view_state.js"
 */

import { groupsOf, isSame, placeOf, shownGroup } from "./select.js";
import { REPEATS, RUN } from "./view_state.js";

/** Keeps what an answer is compared with as it was, while it is the same. */
export class Comparer {
  /** @type {Map<string, Compared>} */
  #known = new Map();

  /**
   * @param {Diff | null} diff
   * @param {Facts} facts
   * @param {ViewState} view
   * @param {readonly Column[]} columns
   * @param {CellState} cell
   * @returns {Compared | null}
   */
  of(diff, facts, view, columns, cell) {
    if (!diff || cell.state === "error") return null;
    const cells = basesOf(diff, facts, view, columns, cell);
    if (!cells.length) return null;
    const known = this.#known.get(cell.key);
    if (known?.unit === diff.unit && isSame(known.cells, cells)) return known;
    const compared = { unit: diff.unit, cells };
    this.#known.set(cell.key, compared);
    return compared;
  }
}

/**
 * @param {Diff} diff
 * @param {Facts} facts
 * @param {ViewState} view
 * @param {readonly Column[]} columns
 * @param {CellState} cell
 * @returns {CellState[]}
 */
function basesOf({ unit, base }, facts, view, columns, cell) {
  /** @param {string} column */
  const shown = (column) => {
    const place = placeOf(column, cell.row);
    const cells = facts.at.get(place) ?? [];
    const groups = groupsOf(cells);
    const found = groups[shownGroup(groups, cells, view.samples.get(place))]?.cell;
    return found?.state === "error" ? undefined : found;
  };
  if (unit === "only") {
    const others = columns.filter(({ key }) => key !== cell.column).map(({ key }) => shown(key));
    return others.filter((other) => other !== undefined);
  }
  if (base === REPEATS) {
    const groups = groupsOf(facts.at.get(placeOf(cell.column, cell.row)) ?? []);
    const other = groups.find((group) => group.cell !== cell);
    return other ? [other.cell] : [];
  }
  const column = base === RUN ? runBefore(columns, cell.column) : base;
  const other = column !== cell.column && shown(column);
  return other ? [other] : [];
}

/** The same model in the run before; itself where there is none. @param {readonly Column[]} columns @param {string} key */
function runBefore(columns, key) {
  const at = columns.findIndex((column) => column.key === key);
  const own = columns[at];
  const before = columns.slice(0, at).findLast(
    ({ provider, model, params }) =>
      provider === own?.provider && model === own.model && params === own.params,
  );
  return before?.key ?? key;
}
