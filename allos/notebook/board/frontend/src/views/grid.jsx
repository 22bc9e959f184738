/**
 * Prompts down, models across.
 *
 * @import { Compared } from "../diff/marker.js"
 * @import { Column, Row } from "../protocol.js"
 * @import { Group } from "../select.js"
 * @import { CellState } from "../state.js"
 * @import { AnswersProps } from "./columns.jsx"
 * @import { FunctionComponent } from "preact"
 */

import { useRef } from "preact/hooks";

import { Comparer } from "../compared.js";
import { nameOf, tintOf } from "../format.js";
import { memo } from "../memo.js";
import { factsOf, groupsOf, placeOf, shownGroup } from "../select.js";
import { isEnded } from "../state.js";
import { focusOn } from "../view_state.js";
import { Answer } from "./clamped.jsx";
import { Facts, Name, State } from "./column.jsx";
import { useBoard } from "./context.js";
import { Menu } from "./menu.jsx";
import { Repeats } from "./repeats.jsx";
import { Rows, Scroller } from "./windowed.jsx";

const LINES = 6;
const ROW_PX = 140;

/** @param {AnswersProps & {rows: readonly Row[]}} props */
export function Grid({ state, view, columns, rows, matching, words, now_ms }) {
  const { change } = useBoard();
  const comparer = useRef(new Comparer()).current;
  const facts = factsOf(state);
  if (!rows.length) return <p class="none">No prompt matches.</p>;
  return (
    <Scroller label="Answers, a row for each prompt" name="grid">
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            <th scope="col" class="row">
              <b>{state.rows_title}</b>
              <small>{rows.length === state.rows.length ? `${rows.length} rows` : `${rows.length} of ${state.rows.length} rows`}</small>
            </th>
            {columns.map((column) => (
              <th key={column.key} scope="col" class={tintOf(column)}>
                <div class="top">
                  <span class="key">{column.letter}</span>
                  <Name column={column} />
                  <Menu column={column} />
                </div>
              </th>
            ))}
          </tr>
        </thead>
        <Rows items={rows} keyOf={keyOf} columns={columns.length + 1} row_px={ROW_PX}>
          {(row) => (
            <tr key={row.key} aria-rowindex={state.rows.indexOf(row) + 2}>
              <th scope="row" class="row">
                <button class="label" dir="auto" title={row.prompt} onClick={() => change((now) => focusOn(now, null, row.key))}>
                  {row.label || "prompt"}
                </button>
                <small>{`row ${Number(row.key) + 1}`}</small>
              </th>
              {columns.map((column) => {
                const place = placeOf(column.key, row.key);
                const cells = facts.at.get(place) ?? NO_CELLS;
                const groups = groupsOf(cells);
                const shown = shownGroup(groups, cells, view.samples.get(place));
                const cell = groups[shown]?.cell;
                return (
                  <GridCell
                    key={column.key}
                    column={column}
                    row={row}
                    place={place}
                    cells={cells}
                    groups={groups}
                    shown={shown}
                    isFaint={matching !== null && !cells.some(({ key }) => matching.has(key))}
                    isExpanded={cell !== undefined && view.expanded.has(cell.key)}
                    isConnected={state.connected}
                    canRun={state.can_run}
                    compared={cell ? comparer.of(view.diff, facts, view, columns, cell) : null}
                    words={words}
                    now_ms={cell && !isEnded(cell) ? now_ms : 0}
                  />
                );
              })}
            </tr>
          )}
        </Rows>
      </table>
    </Scroller>
  );
}

const keyOf = (/** @type {Row} */ { key }) => key;

/** @type {readonly CellState[]} */
const NO_CELLS = [];

/**
 * @typedef {object} GridCellProps
 * @property {Column} column
 * @property {Row} row
 * @property {string} place
 * @property {readonly CellState[]} cells
 * @property {readonly Group[]} groups
 * @property {number} shown
 * @property {boolean} isFaint
 * @property {boolean} isExpanded
 * @property {boolean} isConnected
 * @property {boolean} canRun
 * @property {Compared | null} compared
 * @property {readonly string[]} words
 * @property {number} now_ms
 */

/** @type {FunctionComponent<GridCellProps>} */
const GridCell = memo(function GridCell(props) {
  const { column, row, place, cells, groups, shown, now_ms } = props;
  const cell = groups[shown]?.cell;
  if (!cell) return <td class="empty" />;
  const name = `${nameOf(column)}, ${row.label}`;
  return (
    <td
      class={tintOf(column, cell) + (cell.tint ? " own" : "") + (props.isFaint ? " faint" : "")}
      data-state={props.isConnected || isEnded(cell) ? cell.state : "lost"}
    >
      <Answer
        cell={cell}
        name={name}
        isExpanded={props.isExpanded}
        compared={props.compared}
        words={props.words}
        lines={LINES}
      />
      <Repeats place={place} name={name} cells={cells} groups={groups} shown={shown} />
      {cell.state === "ok" ? (
        <Facts cell={cell} now_ms={now_ms} isShort />
      ) : (
        <State cell={cell} name={name} isConnected={props.isConnected} canRun={props.canRun} now_ms={now_ms} />
      )}
    </td>
  );
});
