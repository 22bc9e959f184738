/**
 * What is shown, and what can be done with all of it.
 *
 * @import { Column } from "../protocol.js"
 * @import { BoardState } from "../state.js"
 * @import { DiffUnit, Mode, ViewState } from "../view_state.js"
 */

import { canVote, hasRepeats } from "../commands.js";
import { factsOf, filtersOf } from "../select.js";
import { isActive } from "../state.js";
import { changeDiff, defaultBase, REPEATS, RUN, showMode, toggleDiff, togglePanel } from "../view_state.js";
import { useBoard } from "./context.js";

/** @type {readonly [Mode, string][]} */
const MODES = [["columns", "Columns"], ["grid", "Grid"], ["table", "Table"], ["focus", "Focus"]];

/** @type {readonly [DiffUnit, string][]} */
const UNITS = [["words", "words"], ["sentences", "sentences"], ["json", "JSON"], ["only", "only here"]];

/** @type {readonly [string, string][]} */
const SORTS = [["", "as asked"], ["change", "most changed"], ["different", "most different"], ["latency", "slowest"], ["cost", "dearest"], ["tokens", "longest"]];

/** @param {{state: BoardState, view: ViewState, columns: readonly Column[]}} props */
export function Toolbar({ state, view, columns }) {
  const { change, search, send, isEditable } = useBoard();
  const filters = filtersOf(state);
  const isOne = state.cells.size < 2;
  const hasRuns = columns.some(({ run }) => run);
  return (
    <div class="bar" role="toolbar" aria-label="View">
      {!isOne && (
        <Segments
          label="View"
          items={MODES}
          chosen={view.mode}
          choose={(mode) => change((now) => showMode(now, mode))}
        />
      )}
      {filters.length > 1 && (
        <Segments
          label="Filter"
          items={filters.map(([name, count]) => [name, name[0]?.toUpperCase() + name.slice(1), count])}
          chosen={view.filter}
          choose={(filter) => change((now) => ({ ...now, filter }))}
        />
      )}
      {!isOne && <DiffControl state={state} view={view} columns={columns} />}
      {view.mode === "grid" && state.rows.length > 2 && (
        <select
            aria-label="Sort"
            value={view.sort?.by ?? ""}
            onChange={({ currentTarget: { value } }) =>
              change((now) => ({ ...now, sort: value ? { by: value, isDown: false } : null }))
            }
          >
          {SORTS.filter(([by]) => by !== "change" || hasRuns).map(([by, label]) => <option value={by}>{`Sort: ${label}`}</option>)}
        </select>
      )}
      {state.variables.length > 1 && (
        <button class="btn" {...opens(view, change, "Arrange")}>Arrange</button>
      )}
      {view.hidden.size > 0 && (
        <button class="btn" onClick={() => change((now) => ({ ...now, hidden: new Set() }))}>
          {`${view.hidden.size} hidden: show`}
        </button>
      )}
      <div class="right">
      {!isOne && (
        <label class="search">
          <input
            type="search"
            placeholder="Search"
            dir="auto" aria-label="Search in prompts and answers"
            value={view.query}
            onInput={({ currentTarget }) => search(currentTarget.value)}
          />
          {!view.query && <kbd>/</kbd>}
        </label>
      )}
      {state.columns.length > 1 && (
        <button
          class="btn vote-start"
          disabled={!canVote(state)}
          title="Hide which model is which, and say which answer is better"
          onClick={(event) => {
            keepFocus(event);
            send({ action: "vote_start" });
          }}
        >
          {"Vote "}<kbd>v</kbd>
        </button>
      )}
      {isEditable && (
        <button class="btn quiet" disabled={!state.connected} title="Change the prompt and run it again, below" onClick={() => send({ action: "edit" })}>
          Edit
        </button>
      )}
      {state.can_run && <Runs state={state} view={view} />}
      <button class="btn quiet" aria-label="Keys" title="Keys" {...opens(view, change, "Help")}>?</button>
      </div>
    </div>
  );
}

/**
 * @template {string} T
 * @param {{label: string, items: readonly (readonly [T, string, number?])[], chosen: T, choose: (item: T) => void}} props
 */
function Segments({ label, items, chosen, choose }) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {items.map(([item, words, count]) => (
        <button key={item} aria-pressed={item === chosen} onClick={() => choose(item)}>
          {words}
          {count !== undefined && <span class="count">{` ${count}`}</span>}
        </button>
      ))}
    </div>
  );
}

/** @param {{state: BoardState, view: ViewState, columns: readonly Column[]}} props */
function DiffControl({ state, view, columns }) {
  const { change } = useBoard();
  const { diff } = view;
  const repeats = hasRepeats(state);
  return (
    <span class={diff ? "diff on" : "diff"}>
      <button
        class="btn"
        aria-pressed={diff !== null}
        onClick={() => change((now) => toggleDiff(now, defaultBase(columns, repeats)))}
      >
        {diff ? "Diff" : "Diff: off"}
      </button>
      {diff && (
        <select
          aria-label="Compare by"
          value={diff.unit}
          onChange={({ currentTarget: { value } }) => change((now) => changeDiff(now, { unit: /** @type {DiffUnit} */ (value) }))}
        >
          {UNITS.map(([unit, label]) => <option value={unit}>{label}</option>)}
        </select>
      )}
      {diff && diff.unit !== "only" && (
        <select
          aria-label="Compare against"
          value={diff.base}
          onChange={({ currentTarget: { value } }) => change((now) => changeDiff(now, { base: value }))}
        >
          {columns.length > 1 && columns.map(({ key, letter }) => <option value={key}>{`against ${letter}`}</option>)}
          {columns.some(({ run }) => run) && <option value={RUN}>against the run before</option>}
          {repeats && <option value={REPEATS}>against repeats</option>}
        </select>
      )}
    </span>
  );
}

/**
 * What a button needs that opens a panel, and closes it.
 * @param {ViewState} view
 * @param {import("./context.js").BoardActions["change"]} change
 * @param {import("../view_state.js").Panel} panel
 */
const opens = (view, change, panel) => ({
  "aria-expanded": view.panel === panel,
  onClick: () => change((now) => togglePanel(now, panel)),
});

/** A button that cannot be pressed any more loses the focus, and the board with it its keys. @param {Event} event */
const keepFocus = (event) =>
  /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.currentTarget).closest(".allos-board"))?.focus();

/** @param {{state: BoardState, view: ViewState}} props */
function Runs({ state, view }) {
  const { send, runAgain, change } = useBoard();
  const isRunning = isActive(state);
  const failed = factsOf(state).flagged.errors.size;
  const canStop = isRunning && state.connected;
  const canRun = !isRunning && state.connected;
  return (
    <>
      <button class="btn quiet" disabled={!state.connected} {...opens(view, change, "AddModel")}>+ model</button>
      {failed > 1 && (
        <button
          class="btn"
          disabled={!canRun}
          onClick={(event) => {
            keepFocus(event);
            runAgain(true);
          }}
        >
          {`Retry failed ${failed}`}
        </button>
      )}
      <button
        class="btn stop-all"
        aria-label="Stop all models"
        hidden={!isRunning}
        disabled={!canStop}
        onClick={() => send({ action: "stop_all" })}
      >
        {"Stop all "}<kbd>Esc</kbd>
      </button>
      <button
        class="btn main"
        title="Ask every model again; the rows of these answers stay in the log"
        hidden={isRunning && state.connected}
        disabled={!canRun}
        onClick={(event) => {
          keepFocus(event);
          runAgain();
        }}
      >
        Run again
      </button>
    </>
  );
}
