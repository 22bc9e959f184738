/**
 * What a command does to the view. Pure; what is done elsewhere is named in `also`.
 *
 * @import { BoardState } from "./state.js"
 * @import { Command } from "./keys.js"
 * @import { ViewState } from "./view_state.js"
 *
 * @typedef {object} Outcome
 * @property {ViewState} view
 * @property {"run" | "stop" | "vote" | "search" | "leave" | `column ${string}` | null} also `column KEY`: give it the focus
 * @property {boolean} isTaken whether the key was for the board
 */

import { factsOf, matching, shownColumns, shownRows } from "./select.js";
import { isActive } from "./state.js";
import { defaultBase, focusOn, showMode, toggleDiff, togglePanel } from "./view_state.js";

/**
 * @param {Command} command
 * @param {BoardState} state
 * @param {ViewState} view
 * @returns {Outcome}
 */
export function obey(command, state, view) {
  /** @param {ViewState} next @param {Outcome["also"]} [also] @returns {Outcome} */
  const taken = (next, also = null) => ({ view: next, also, isTaken: true });
  const canAct = state.connected && state.can_run;
  const columns = shownColumns(state, view);
  // What else there is to do would show which answer is whose.
  if (state.vote && command !== "help" && command !== "stop") return { view, also: null, isTaken: false };
  switch (command) {
    case "vote":
      return taken(view, canVote(state) ? "vote" : null);
    case "run":
      return taken(view, canAct && !isActive(state) ? "run" : null);
    case "stop":
      return stop(state, view);
    case "search":
      return taken(view, "search");
    case "help":
      return taken(togglePanel(view, "Help"));
    case "diff":
      return taken(toggleDiff(view, defaultBase(columns, hasRepeats(state))));
    case "focus":
      return taken(view.mode === "focus" ? showMode(view, view.before) : focusOn(view, null, null));
    case "previous_row":
      return taken(turnRow(state, view, -1));
    case "next_row":
      return taken(turnRow(state, view, 1));
    case "previous_column":
      return taken(turnColumn(columns, view, -1));
    case "next_column":
      return taken(turnColumn(columns, view, 1));
    default: {
      const column = columns[Number(command.slice("column ".length)) - 1];
      if (!column) return { view, also: null, isTaken: false };
      return taken({ ...view, column: column.key }, `column ${column.key}`);
    }
  }
}

/** Close what is open, the last first; then stop. @param {BoardState} state @param {ViewState} view @returns {Outcome} */
function stop(state, view) {
  if (view.panel) return { view: { ...view, panel: null }, also: "leave", isTaken: true };
  if (view.query) return { view: { ...view, query: "" }, also: "leave", isTaken: true };
  const canStop = isActive(state) && state.connected && state.can_run;
  if (canStop) return { view, also: "stop", isTaken: true };
  if (view.mode === "focus") return { view: showMode(view, view.before), also: "leave", isTaken: true };
  return { view, also: null, isTaken: false };
}

/** Whether there are answers of two models to one prompt. @param {BoardState} state */
export const canVote = (state) => state.connected && state.columns.length > 1;

/** @param {BoardState} state */
export const hasRepeats = (state) => [...factsOf(state).at.values()].some(({ length }) => length > 1);

/** @param {BoardState} state @param {ViewState} view @param {number} step @returns {ViewState} */
function turnRow(state, view, step) {
  const rows = shownRows(state, view, matching(state, view));
  const at = rows.findIndex(({ key }) => key === view.row);
  const next = rows[(Math.max(0, at) + step + rows.length) % rows.length];
  return next ? { ...view, row: next.key } : view;
}

/** @param {readonly {key: string}[]} columns @param {ViewState} view @param {number} step @returns {ViewState} */
function turnColumn(columns, view, step) {
  const at = columns.findIndex(({ key }) => key === view.column);
  const next = columns[(Math.max(0, at) + step + columns.length) % columns.length];
  return next ? { ...view, column: next.key } : view;
}
