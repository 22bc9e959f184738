/**
 * Answers to one prompt side by side, or one of them alone.
 *
 * @import { Column as ColumnFacts } from "../protocol.js"
 * @import { BoardState, CellState } from "../state.js"
 * @import { ViewState } from "../view_state.js"
 */

import { useRef } from "preact/hooks";

import { Comparer } from "../compared.js";
import { arrange } from "../layout.js";
import { factsOf, groupsOf, placeOf, shownGroup } from "../select.js";
import { elapsed_s, isEnded } from "../state.js";
import { Column } from "./column.jsx";

/** @type {readonly CellState[]} */
const NO_CELLS = [];

/**
 * @typedef {object} AnswersProps
 * @property {BoardState} state
 * @property {ViewState} view
 * @property {readonly ColumnFacts[]} columns those that are shown
 * @property {ReadonlySet<string> | null} matching
 * @property {readonly string[]} words
 * @property {number} width_px
 * @property {number} now_ms
 */

/** @param {AnswersProps & {row: string, isAlone: boolean}} props */
export function Columns({ state, view, columns, matching, words, row, isAlone, width_px, now_ms }) {
  const comparer = useRef(new Comparer()).current;
  const facts = factsOf(state);
  const cellsAt = (/** @type {string} */ column) => facts.at.get(placeOf(column, row)) ?? NO_CELLS;
  const fits = (/** @type {ColumnFacts} */ { key }) => !matching || cellsAt(key).some((cell) => matching.has(cell.key));
  const shown = isAlone ? alone(columns, view.column) : columns.filter(fits);
  const { across, isNarrow } = arrange(shown.length, width_px);
  const all = columns.flatMap(({ key }) => cellsAt(key));
  const longest_s = Math.max(0.001, ...all.map((cell) => elapsed_s(cell, now_ms)));
  if (!shown.length) return <p class="none">No answer to this prompt matches.</p>;
  return (
    <div class={`cols${isNarrow ? " narrow" : ""}${isAlone ? " alone" : ""}`} style={{ "--across": String(across) }}>
      {shown.map((column) => {
        const place = placeOf(column.key, row);
        const cells = cellsAt(column.key);
        const groups = groupsOf(cells);
        const at = shownGroup(groups, cells, view.samples.get(place));
        const cell = groups[at]?.cell;
        return (
          <Column
            key={column.key}
            column={column}
            place={place}
            cells={cells}
            groups={groups}
            shown={at}
            isExpanded={isAlone || (cell !== undefined && view.expanded.has(cell.key))}
            isConnected={state.connected}
            canRun={state.can_run}
            compared={cell ? comparer.of(view.diff, facts, view, columns, cell) : null}
            words={words}
            now_ms={cell && !isEnded(cell) ? now_ms : 0}
            longest_s={longest_s}
          />
        );
      })}
    </div>
  );
}

/** The column that is shown alone. @param {readonly ColumnFacts[]} columns @param {string | null} key */
export function alone(columns, key) {
  const found = columns.find((column) => column.key === key) ?? columns[0];
  return found ? [found] : [];
}
