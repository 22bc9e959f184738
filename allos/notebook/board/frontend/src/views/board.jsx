/**
 * The whole board: what can be done, what was asked, the answers, the sums.
 *
 * @import { Vote } from "../protocol.js"
 * @import { BoardState } from "../state.js"
 * @import { ViewState } from "../view_state.js"
 * @import { RefObject } from "preact"
 */

import { useMemo } from "preact/hooks";

import { linkTo } from "../links.js";
import { parseQuery } from "../query.js";
import { matching, shownColumns, shownRows } from "../select.js";
import { isActive } from "../state.js";
import { Head } from "./asked.jsx";
import { Columns } from "./columns.jsx";
import { Grid } from "./grid.jsx";
import { Later } from "./later.jsx";
import { ColumnsContext } from "./shown.js";
import { Sums } from "./sums.jsx";
import { Table } from "./table.jsx";
import { Toolbar } from "./toolbar.jsx";

/** A running column beats so often: drawn twice a second, where an animation is drawn at every frame. */
const BEAT_MS = 500;

/**
 * @typedef {object} BoardProps
 * @property {BoardState} state
 * @property {ViewState} view
 * @property {number} width_px
 * @property {number} now_ms this page's clock
 * @property {boolean} isHidden
 * @property {boolean} isAlone whether its output has no other board
 * @property {RefObject<HTMLDivElement | null>} spoken where a screen reader finds what is new
 */

/** @param {BoardProps} props */
export function Board({ state, view, width_px, now_ms, isHidden, isAlone, spoken }) {
  const count = state.columns.length;
  const names = ["allos-board mathjax_ignore tex2jax_ignore"];
  // Cut off beside others it leaves the tables to be seen, which those give way to.
  if (!isHidden && (state.connected || isAlone)) names.push(`live-${state.table_class}`);
  if (!isActive(state)) names.push("done");
  if (view.diff || view.query) names.push("marks");
  if (Math.floor(now_ms / BEAT_MS) % 2) names.push("beat");
  // Without an index a click anywhere would not give it the focus, which its keys need.
  return (
    <div
      class={names.join(" ")}
      role="region"
      tabIndex={-1}
      aria-label={state.vote ? "Blind vote" : `Comparison of ${count} ${count === 1 ? "model" : "models"}`}
      hidden={isHidden}
    >
      {!isHidden && state.vote && <Blind state={state} view={view} vote={state.vote} />}
      {!isHidden && !state.vote && <Shown state={state} view={view} width_px={width_px} now_ms={now_ms} />}
      <div ref={spoken} class="unseen" role="status" aria-live="polite" />
      {/* While this board is in a notebook, the static table of the same comparison is not shown. */}
      {!isHidden && state.table_class && (
        <style>
          {`.jp-OutputArea:has(.live-${state.table_class})>.jp-OutputArea-child:has(.${state.table_class}){display:none}`}
        </style>
      )}
    </div>
  );
}

/** Two answers to vote on. @param {Pick<BoardProps, "state" | "view"> & {vote: Vote}} props */
function Blind({ state, view, vote }) {
  return (
    <>
      <Later name="VoteView" state={state} view={view} vote={vote} />
      <Notice text={state.notice} />
      {view.panel === "Help" && <Later name="Help" />}
    </>
  );
}

/** @param {{text: string}} props */
const Notice = ({ text }) => <div class="notice" role="alert" hidden={!text}>{text}</div>;

/** @param {Pick<BoardProps, "state" | "view" | "width_px" | "now_ms">} props */
function Shown({ state, view, width_px, now_ms }) {
  const columns = useMemo(
    () => shownColumns(state, view),
    [state.columns, view.hidden, view.order, view.pinned],
  );
  const cells = useMemo(
    () => matching(state, view),
    [state.cells, state.columns, state.found, view.query, view.filter],
  );
  const rows = useMemo(
    () => shownRows(state, view, cells),
    [state.rows, view.sort, cells, view.sort && state.cells],
  );
  const words = useMemo(() => parseQuery(view.query).words, [view.query]);
  const shown = useMemo(
    () => ({
      keys: columns.map(({ key }) => key),
      isPinned: (/** @type {string} */ key) => view.pinned.has(key),
      link: (/** @type {string} */ key, /** @type {string} */ row) => linkTo(state, key, row),
    }),
    [columns, view.pinned],
  );
  const isOneRow = view.mode === "columns" || view.mode === "focus";
  const row = isOneRow ? (rows.find(({ key }) => key === view.row) ?? rows[0] ?? null) : null;
  const answers = { state, view, columns, matching: cells, words, width_px, now_ms };
  return (
    <ColumnsContext.Provider value={shown}>
      <Toolbar state={state} view={view} columns={columns} />
      {view.panel && <Later name={/** @type {"Arrange"} */ (view.panel)} state={state} />}
      <Head state={state} view={view} rows={rows} row={row} />
      <Notice text={state.notice} />
      {state.ranking && <Later name="RankingView" ranking={state.ranking} />}
      {view.mode === "grid" && <Grid {...answers} rows={rows} />}
      {view.mode === "table" && <Table {...answers} />}
      {isOneRow && row && <Columns {...answers} row={row.key} isAlone={view.mode === "focus"} />}
      {isOneRow && !row && <p class="none">No prompt matches.</p>}
      <Sums summary={state.summary} logged_as={state.logged_as} can_run={state.can_run} />
    </ColumnsContext.Provider>
  );
}
