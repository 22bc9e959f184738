/**
 * The whole board: what was asked, the columns, the sums.
 *
 * @import { BoardState } from "../state.js"
 * @import { ViewState } from "../view_state.js"
 * @import { FunctionComponent, RefObject } from "preact"
 */

import { useLayoutEffect, useRef } from "preact/hooks";

import { showMarkup } from "../answer_text.js";
import { copy } from "../copy.js";
import { arrange } from "../layout.js";
import { memo } from "../memo.js";
import { cellsOf, elapsed_s, isActive, isEnded } from "../state.js";
import { PROMPT, SYSTEM } from "../view_state.js";
import { Asked } from "./clamped.jsx";
import { Column } from "./column.jsx";
import { useBoard } from "./context.js";

/** A running column beats so often: drawn twice a second, where an animation is drawn at every frame. */
const BEAT_MS = 500;

/**
 * @typedef {object} BoardProps
 * @property {BoardState} state
 * @property {ViewState} view
 * @property {number} width_px
 * @property {number} now_ms this page's clock
 * @property {boolean} isHidden
 * @property {RefObject<HTMLDivElement | null>} spoken where a screen reader finds what is new
 */

/** @param {BoardProps} props */
export function Board({ state, view, width_px, now_ms, isHidden, spoken }) {
  const { send } = useBoard();
  const count = state.columns.length;
  const canStop = isActive(state) && state.connected;
  const names = ["allos-board mathjax_ignore tex2jax_ignore"];
  if (!isHidden) names.push(`live-${state.table_class}`);
  if (!isActive(state)) names.push("done");
  if (Math.floor(now_ms / BEAT_MS) % 2) names.push("beat");

  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !canStop) return;
    event.preventDefault();
    event.stopPropagation();
    send({ action: "stop_all" });
  };

  // Without an index a click anywhere would not give it the focus, which Esc needs.
  return (
    <div
      class={names.join(" ")}
      role="region"
      tabIndex={-1}
      aria-label={`Comparison of ${count} ${count === 1 ? "model" : "models"}`}
      hidden={isHidden}
      onKeyDown={onKeyDown}
    >
      <Head
        system={state.system}
        prompt={state.prompt}
        prompt_html={state.prompt_html}
        chips={state.chips}
        expanded={view.expanded}
        canStop={canStop}
        canRun={!isActive(state) && state.connected}
      />
      <div class="notice" role="alert" hidden={!state.notice}>{state.notice}</div>
      <Columns state={state} view={view} width_px={width_px} now_ms={now_ms} />
      <Sums summary={state.summary} logged_as={state.logged_as} />
      <div ref={spoken} class="unseen" role="status" aria-live="polite" />
      {/* While this board is in the page, the static table of the same comparison is not shown. */}
      <style>
        {isHidden
          ? ""
          : `.jp-OutputArea:has(.live-${state.table_class})>.jp-OutputArea-child:has(.${state.table_class}){display:none}`}
      </style>
    </div>
  );
}

/**
 * @typedef {object} HeadProps
 * @property {string} system
 * @property {string} prompt
 * @property {string} prompt_html
 * @property {string[]} chips
 * @property {ReadonlySet<string>} expanded
 * @property {boolean} canStop
 * @property {boolean} canRun
 */

/** @type {FunctionComponent<HeadProps>} */
const Head = memo(function Head({ system, prompt, prompt_html, chips, expanded, canStop, canRun }) {
  const { send, runAgain } = useBoard();
  return (
    <div class="head">
      <div class="asks">
        {system && <Asked id={SYSTEM} text={system} isExpanded={expanded.has(SYSTEM)} />}
        {prompt && <Asked id={PROMPT} text={prompt} isExpanded={expanded.has(PROMPT)} />}
        {prompt_html && <Sent html={prompt_html} />}
      </div>
      <div class="tools">
        <div class="chips">
          {chips.map((chip) => <span class="chip">{chip}</span>)}
        </div>
        <button
          type="button"
          class="btn stop-all"
          aria-label="Stop all models"
          disabled={!canStop}
          onClick={() => send({ action: "stop_all" })}
        >
          {"Stop all "}<kbd>Esc</kbd>
        </button>
        <button
          type="button"
          class="btn main"
          title="Ask every model again; the rows of these answers stay in the log"
          disabled={!canRun}
          onClick={(event) => {
            // A button that cannot be pressed any more loses the focus, and the board with it Esc.
            /** @type {HTMLElement | null} */ (event.currentTarget.closest(".allos-board"))?.focus();
            runAgain();
          }}
        >
          Run again
        </button>
      </div>
    </div>
  );
});

/** @param {{state: BoardState, view: ViewState, width_px: number, now_ms: number}} props */
function Columns({ state, view, width_px, now_ms }) {
  const { across, isNarrow } = arrange(state.columns.length, width_px);
  const longest_s = Math.max(0.001, ...[...state.cells.values()].map((cell) => elapsed_s(cell, now_ms)));
  return (
    <div class={isNarrow ? "cols narrow" : "cols"} style={{ "--across": String(across) }}>
      {state.columns.map((column) => {
        const cells = cellsOf(state, column.key);
        const sample = Math.min(view.samples.get(column.key) ?? 0, Math.max(0, cells.length - 1));
        const cell = cells[sample];
        return (
          <Column
            key={column.key}
            column={column}
            cell={cell}
            sample={sample}
            count={cells.length}
            isExpanded={cell !== undefined && view.expanded.has(cell.key)}
            isConnected={state.connected}
            now_ms={cell && !isEnded(cell) ? now_ms : 0}
            longest_s={longest_s}
          />
        );
      })}
    </div>
  );
}

/** @type {FunctionComponent<{summary: BoardState["summary"], logged_as: string}>} */
const Sums = memo(function Sums({ summary, logged_as }) {
  return (
    <div class="sum">
      {summary.map(([before, value, after, hint]) => (
        <span title={hint || undefined} class={hint ? "why" : undefined}>
          {before && `${before} `}<b>{value}</b>{after && ` ${after}`}
        </span>
      ))}
      <span class="logged">
        {logged_as ? <Id id={logged_as} /> : "not logged"}
      </span>
    </div>
  );
});

/** Images and files of the prompt. @param {{html: string}} props */
function Sent({ html }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  useLayoutEffect(() => {
    if (box.current) showMarkup(box.current, html);
  }, [html]);
  return <div ref={box} class="allos-sent allos-out" />;
}

/** @param {{id: string}} props */
function Id({ id }) {
  return (
    <>
      <code class="id">{id}</code>
      <button
        type="button"
        class="btn quiet copy"
        aria-label="Copy the id of this comparison"
        onClick={(event) => copy(event.currentTarget, id)}
      >
        Copy
      </button>
    </>
  );
}
