/**
 * Every answer a line, to sort and to filter.
 *
 * @import { ViewState } from "../view_state.js"
 * @import { CellState } from "../state.js"
 * @import { AnswersProps } from "./columns.jsx"
 */

import { useEffect } from "preact/hooks";

import { money, seconds, stateLabel, tintOf } from "../format.js";
import { METRICS } from "../query.js";
import { tableLines } from "../select.js";
import { focusOn, sortBy } from "../view_state.js";
import { useBoard } from "./context.js";
import { Rows, Scroller } from "./windowed.jsx";

const ROW_PX = 34;
const EXCERPT_CHARS = 240;

/** @type {readonly [by: string, label: string, isNumber: boolean][]} */
const HEADS = [
  ["prompt", "prompt", false],
  ["model", "model", false],
  ["answer", "answer", false],
  ["state", "state", false],
  ["latency", "latency", true],
  ["first", "first token", true],
  ["tokens", "tokens", true],
  ["cost", "cost", true],
];

/** @param {AnswersProps} props */
export function Table({ state, view, columns, matching, now_ms }) {
  const lines = tableLines(state, view, columns, matching);
  const hasRows = state.rows.length > 1;
  const isKnown = (/** @type {string} */ by) => lines.some(({ cell }) => METRICS[by]?.(cell) != null);
  const heads = HEADS.filter(([by, , isNumber]) => (by === "prompt" ? hasRows : !isNumber || isKnown(by)));
  const metrics = heads.filter(([, , isNumber]) => isNumber).map(([by]) => by);
  if (!lines.length) return <p class="none">No answer matches.</p>;
  return (
    <Scroller label="Answers, one a line" name="table">
      <table aria-rowcount={lines.length + 1}>
        <thead>
          <tr>
            {heads.map(([by, label, isNumber]) => (
              <Head key={by} by={by} label={{ prompt: state.rows_title, model: state.columns_title }[by] ?? label} isNumber={isNumber} view={view} />
            ))}
          </tr>
        </thead>
        <Rows items={lines} keyOf={keyOf} columns={heads.length} row_px={ROW_PX}>
          {(line) => <Line key={line.cell.key} {...line} hasRow={hasRows} metrics={metrics} now_ms={now_ms} />}
        </Rows>
      </table>
    </Scroller>
  );
}

const keyOf = (/** @type {ReturnType<typeof tableLines>[number]} */ { cell }) => cell.key;

/** @param {{by: string, label: string, isNumber: boolean, view: ViewState}} props */
function Head({ by, label, isNumber, view }) {
  const { change } = useBoard();
  const isSorted = view.sort?.by === by;
  const order = isSorted ? (view.sort?.isDown ? "descending" : "ascending") : undefined;
  return (
    <th scope="col" class={`${by}${isNumber ? " number" : ""}`} aria-sort={order}>
      <button class="sort" onClick={() => change((now) => sortBy(now, by))}>
        {label}
        <span aria-hidden="true">{isSorted ? (view.sort?.isDown ? " ↓" : " ↑") : ""}</span>
      </button>
    </th>
  );
}

/** @param {ReturnType<typeof tableLines>[number] & {hasRow: boolean, metrics: string[], now_ms: number}} props */
function Line({ cell, count, row, column, hasRow, metrics, now_ms }) {
  const { change, requestText } = useBoard();
  useEffect(() => {
    if (cell.is_deferred) requestText(cell.key);
  }, [cell.key, cell.is_deferred]);
  const text = (cell.source || cell.text).replace(/\s+/g, " ");
  return (
    <tr data-state={cell.state}>
      {hasRow && <th scope="row" class="prompt" dir="auto" title={row.prompt}>{row.label}</th>}
      <td class={`model ${tintOf(column, cell)}`} title={`${column.provider}/${column.model} ${column.params}`}>
        <span class="key">{column.letter}</span> {column.model} <small>{cell.label}</small>
      </td>
      <td class="answer" dir="auto">
        <button class="alone-link" title="Show alone" onClick={() => change((now) => focusOn(now, column.key, row.key))}>
          {text.slice(0, EXCERPT_CHARS) || cell.error || (cell.is_deferred ? "…" : "–")}
        </button>
        {count > 1 && <b class="times" title={`${count} repeats are the same`}>{`×${count}`}</b>}
      </td>
      <td class="state">
        <span class="says"><i class="dot" /><span class="word">{stateLabel(cell, now_ms)}</span></span>
      </td>
      {metrics.map((by) => <td class="number">{number(by, cell)}</td>)}
    </tr>
  );
}

/** @param {string} by @param {CellState} cell */
function number(by, cell) {
  const value = METRICS[by]?.(cell) ?? null;
  if (value === null) return "–";
  if (by === "tokens") return value.toLocaleString("en");
  if (by === "cost") return money(value);
  return `${seconds(value)}${by === "latency" && cell.is_replayed ? " replayed" : ""}`;
}
