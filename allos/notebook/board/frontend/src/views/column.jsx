/**
 * One model with one set of parameters.
 *
 * @import { Column as ColumnFacts } from "../protocol.js"
 * @import { CellState } from "../state.js"
 * @import { FunctionComponent } from "preact"
 */

import { clock, seconds, stateLabel } from "../format.js";
import { memo } from "../memo.js";
import { elapsed_s, isEnded } from "../state.js";
import { Answer } from "./clamped.jsx";
import { useBoard } from "./context.js";

/** What the button of a call offers once the call has ended. @param {CellState} cell */
const offer = (cell) => (cell.state === "error" ? "Retry" : "Ask again");

const PENDING = { stop: "Stopping …", retry: "Asking …" };

/**
 * @typedef {object} ColumnProps
 * @property {ColumnFacts} column
 * @property {CellState | undefined} cell the one that is shown; a new column may have none yet
 * @property {number} sample which repeat that is
 * @property {number} count of repeats
 * @property {boolean} isExpanded
 * @property {boolean} isConnected
 * @property {number} now_ms
 * @property {number} longest_s what fills a bar
 */

/** @type {FunctionComponent<ColumnProps>} */
export const Column = memo(function Column(props) {
  const { column, cell, sample, count, isExpanded, isConnected, now_ms, longest_s } = props;
  const name = `${column.letter}, ${column.model}${column.params ? `, ${column.params}` : ""}`;
  const isOver = cell !== undefined && isEnded(cell);
  return (
    <section
      class={`col c${column.slot} s${column.shade}`}
      aria-label={`${name}, ${column.provider}`}
      aria-busy={!isOver && isConnected}
      data-state={isConnected || isOver ? (cell?.state ?? "queued") : "lost"}
    >
      <div class="top">
        <span class="key">{column.letter}</span>
        <Name column={column} />
        <State cell={cell} name={name} isConnected={isConnected} now_ms={now_ms} />
      </div>
      {cell && <Answer cell={cell} name={name} isExpanded={isExpanded} />}
      <Repeats column={column} name={name} sample={sample} count={count} />
      {cell && <Numbers cell={cell} now_ms={now_ms} longest_s={longest_s} />}
    </section>
  );
});

/** @param {{column: ColumnFacts}} props */
function Name({ column: { provider, model, params } }) {
  // What tells models apart stands last in a long name.
  const cut = model.lastIndexOf("/") + 1;
  const path = cut ? `${provider}/${model.slice(0, cut - 1)}` : provider;
  return (
    <span class="name">
      <b title={`${provider}/${model}`}>{model.slice(cut)}</b>
      <small>
        {/* A long path breaks behind a slash, not inside a word. */}
        {path.split(/(?<=\/)/).map((part) => [part, <wbr />])}
        {params && <span class="param">{params}</span>}
      </small>
    </span>
  );
}

/** @param {{cell: CellState | undefined, name: string, isConnected: boolean, now_ms: number}} props */
function State({ cell, name, isConnected, now_ms }) {
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
      <button
        type="button"
        class={isOver ? "btn act quiet" : "btn act"}
        aria-label={`${label} ${name}`}
        disabled={!isConnected}
        onClick={() => press(cell.key)}
      >
        {label}
      </button>
    </span>
  );
}

/** @param {{column: ColumnFacts, name: string, sample: number, count: number}} props */
function Repeats({ column, name, sample, count }) {
  const { showSample } = useBoard();
  const turn = (/** @type {number} */ step) => () =>
    showSample(column.key, (sample + step + count) % count);
  return (
    <div class="rep" hidden={count < 2}>
      <span>{column.repeats}</span>
      <span class="pager">
        <button type="button" class="turn" aria-label={`Previous repeat of ${name}`} onClick={turn(-1)}>
          ‹
        </button>
        <span>{`${sample + 1} / ${count}`}</span>
        <button type="button" class="turn" aria-label={`Next repeat of ${name}`} onClick={turn(1)}>
          ›
        </button>
      </span>
    </div>
  );
}

/** @param {{cell: CellState, now_ms: number, longest_s: number}} props */
function Numbers({ cell, now_ms, longest_s }) {
  const all_s = elapsed_s(cell, now_ms);
  const first_s = Math.min(cell.first_s ?? all_s, all_s);
  const percent = (/** @type {number} */ part_s) => `${(100 * part_s) / longest_s}%`;
  const facts = isEnded(cell) ? cell.facts : [clock(all_s), ...cell.facts];
  const before = cell.first_s === null ? "" : `first token after ${seconds(cell.first_s)}, `;
  const words = `${before}${seconds(all_s)} in all`;
  return (
    <div class="foot">
      <div class="time" role="img" aria-label={words} title={words}>
        <i style={{ width: percent(first_s) }} />
        <i style={{ left: percent(first_s), width: percent(all_s - first_s) }} />
      </div>
      <div class="nums">
        {facts.map((fact, place) =>
          place ? <Fact text={fact} hint={cell.hints[fact]} /> : <b>{fact}</b>,
        )}
      </div>
    </div>
  );
}

/** @param {{text: string, hint: string | undefined}} props */
function Fact({ text, hint }) {
  return <span title={hint} class={hint && "why"}>{text}</span>;
}
