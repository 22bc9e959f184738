/**
 * One model with one set of parameters, and one of its answers.
 *
 * @import { Column as ColumnFacts } from "../protocol.js"
 * @import { Compared } from "../diff/marker.js"
 * @import { CellState } from "../state.js"
 * @import { Group } from "../select.js"
 * @import { FunctionComponent } from "preact"
 */

import { clock, nameOf, seconds, stateLabel, tintOf } from "../format.js";
import { memo } from "../memo.js";
import { elapsed_s, isEnded } from "../state.js";
import { Answer } from "./clamped.jsx";
import { useBoard } from "./context.js";
import { Menu } from "./menu.jsx";
import { Repeats } from "./repeats.jsx";

/** What the button of a call offers once the call has ended. @param {CellState} cell */
const offer = (cell) => (cell.state === "error" ? "Retry" : "Ask again");

const PENDING = { stop: "Stopping …", retry: "Asking …" };

/**
 * @typedef {object} ColumnProps
 * @property {ColumnFacts} column
 * @property {string} place of its repeats
 * @property {readonly CellState[]} cells its repeats; a new column may have none yet
 * @property {readonly Group[]} groups
 * @property {number} shown which of the groups
 * @property {boolean} isExpanded
 * @property {boolean} isConnected
 * @property {boolean} canRun
 * @property {Compared | null} compared
 * @property {readonly string[]} words
 * @property {number} now_ms
 * @property {number} longest_s what fills a bar
 */

/** @type {FunctionComponent<ColumnProps>} */
export const Column = memo(function Column(props) {
  const { column, place, cells, groups, shown, isConnected, now_ms, longest_s } = props;
  const cell = groups[shown]?.cell;
  const name = nameOf(column);
  const isOver = cell !== undefined && isEnded(cell);
  return (
    <section
      class={`col ${tintOf(column, cell)}`}
      aria-label={`${name}, ${column.provider}`}
      aria-busy={!isOver && isConnected}
      data-state={isConnected || isOver ? (cell?.state ?? "queued") : "lost"}
      data-column={column.key}
      tabIndex={-1}
    >
      <div class="top">
        <span class="key">{column.letter}</span>
        <Name column={column} />
        <State cell={cell} name={name} isConnected={isConnected} canRun={props.canRun} now_ms={now_ms} />
        <Menu column={column} row={cell?.row ?? null} />
      </div>
      {cell && (
        <Answer
          cell={cell}
          name={name}
          isExpanded={props.isExpanded}
          compared={props.compared}
          words={props.words}
        />
      )}
      <Repeats place={place} name={name} cells={cells} groups={groups} shown={shown} />
      {cell && (
        <Numbers cell={cell} now_ms={now_ms} longest_s={longest_s}>
          {cell.state === "ok" && <Thumbs cell={cell} name={name} isConnected={isConnected} />}
        </Numbers>
      )}
    </section>
  );
});

/** @param {{column: ColumnFacts}} props */
export function Name({ column: { provider, model, params, run, numbers } }) {
  // What tells models apart stands last in a long name.
  const cut = model.lastIndexOf("/") + 1;
  const path = cut ? `${provider}/${model.slice(0, cut - 1)}` : provider;
  return (
    <span class="name">
      <b title={`${provider}/${model}`}>{model.slice(cut)}</b>
      <small>
        {/* A long path breaks behind a slash, not inside a word. */}
        {path.split(/(?<=\/)/).map((part) => [part, <wbr />])}
        {[run, params, numbers].map((words) => words && <span class="param">{words}</span>)}
      </small>
    </span>
  );
}

/** @param {{cell: CellState | undefined, name: string, isConnected: boolean, canRun: boolean, now_ms: number}} props */
export function State({ cell, name, isConnected, canRun, now_ms }) {
  const { press } = useBoard();
  if (!cell) return <span class="state" />;
  const isOver = isEnded(cell);
  const label = cell.pending_action ? PENDING[cell.pending_action] : isOver ? offer(cell) : "Stop";
  return (
    <span class="state">
      <span class="says">
        <i class="dot" />
        <span class="word">{isConnected || isOver ? stateLabel(cell, now_ms) : "kernel gone"}</span>
      </span>
      {canRun && (
        <button
          class={isOver ? "btn act quiet" : "btn act"}
          aria-label={`${label} ${name}`}
          disabled={!isConnected}
          onClick={() => press(cell.key)}
        >
          {label}
        </button>
      )}
    </span>
  );
}

/** @param {{cell: CellState, now_ms: number, longest_s: number, children: import("preact").ComponentChildren}} props */
function Numbers({ cell, now_ms, longest_s, children }) {
  const all_s = elapsed_s(cell, now_ms);
  const first_s = Math.min(cell.first_s ?? all_s, all_s);
  const percent = (/** @type {number} */ part_s) => `${(100 * part_s) / longest_s}%`;
  const before = cell.first_s === null ? "" : `first token after ${seconds(cell.first_s)}, `;
  const words = `${before}${seconds(all_s)} in all`;
  return (
    <div class="foot">
      <div class="time" role="img" aria-label={words} title={words}>
        <i style={{ width: percent(first_s) }} />
        <i style={{ left: percent(first_s), width: percent(all_s - first_s) }} />
      </div>
      <div class="rated">
        <Facts cell={cell} now_ms={now_ms} />
        {children}
      </div>
    </div>
  );
}

/** @type {readonly [rating: number, label: string, sign: string][]} */
const THUMBS = [[1, "Good", "+1"], [-1, "Bad", "−1"]];

/** A rating of one answer alone. @param {{cell: CellState, name: string, isConnected: boolean}} props */
function Thumbs({ cell, name, isConnected }) {
  const { rate } = useBoard();
  return (
    <div class="thumbs">
      {THUMBS.map(([rating, label, sign]) => (
        <button
          class="btn quiet"
          aria-label={`${label} answer of ${name}`}
          aria-pressed={cell.rating === rating}
          title={`${label} answer: ${sign} in the log`}
          disabled={!isConnected}
          onClick={() => rate(cell.key, rating)}
        >
          {sign}
        </button>
      ))}
    </div>
  );
}

/** What a short line leaves out: the time to the first token, the speed, the tokens. */
const MINOR = /^first token|tok\/s| in, | out$/;

/** @param {{cell: CellState, now_ms: number, isShort?: boolean}} props */
export function Facts({ cell, now_ms, isShort }) {
  const all = isEnded(cell) ? cell.facts : [clock(elapsed_s(cell, now_ms)), ...cell.facts];
  const facts = isShort ? all.filter((fact) => !MINOR.test(fact)) : all;
  return (
    <div class="nums">
      {facts.map((fact, at) => (at ? <Fact text={fact} hint={cell.hints[fact]} /> : <b>{fact}</b>))}
    </div>
  );
}

/** @param {{text: string, hint: string | undefined}} props */
function Fact({ text, hint }) {
  return <span title={hint} class={hint && "why"}>{text}</span>;
}
