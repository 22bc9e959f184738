/** Which columns, prompts and answers a view shows, in which order; what keys do to it. */

import assert from "node:assert/strict";
import test from "node:test";

import { obey } from "../../allos/notebook/board/frontend/src/commands.js";
import { Comparer } from "../../allos/notebook/board/frontend/src/compared.js";
import { commandOf } from "../../allos/notebook/board/frontend/src/keys.js";
import { parseQuery } from "../../allos/notebook/board/frontend/src/query.js";
import {
  agreement,
  factsOf,
  filtersOf,
  groupsOf,
  matching,
  placeOf,
  remoteQuery,
  shownColumns,
  shownGroup,
  shownRows,
  tableLines,
} from "../../allos/notebook/board/frontend/src/select.js";
import { initialState, reduce } from "../../allos/notebook/board/frontend/src/state.js";
import {
  changeDiff,
  focusOn,
  hideColumn,
  initialView,
  moveColumn,
  REPEATS,
  showMode,
  showSample,
  sortBy,
  toggleDiff,
  togglePinned,
} from "../../allos/notebook/board/frontend/src/view_state.js";

/**
 * @import { Cell } from "../../allos/notebook/board/frontend/src/protocol.js"
 * @import { BoardState } from "../../allos/notebook/board/frontend/src/state.js"
 * @import { ViewState } from "../../allos/notebook/board/frontend/src/view_state.js"
 */

/**
 * A board: of each column the answers to each prompt, repeats divided by a bar; `!` has failed.
 * @param {string[][]} columns
 * @param {(cell: Cell) => Partial<Cell>} [more]
 */
function board(columns, more = () => ({})) {
  const prompts = columns[0]?.length ?? 0;
  /** @type {Map<string, number>} */
  const answers = new Map();
  const cells = columns.flatMap((rows, column) =>
    rows.flatMap((texts, row) =>
      texts.split("|").map((text, sample, all) => {
        const answer = answers.get(`${row} ${text}`) ?? answers.size;
        answers.set(`${row} ${text}`, answer);
        /** @type {Cell} */
        const cell = {
          key: `${column}.${row * all.length + sample}`,
          column: `${column}`,
          row: `${row}`,
          sample,
          run: 0,
          is_deferred: false,
          state: text === "!" ? "error" : "ok",
          part: 0,
          blocks: [],
          open: "",
          text: "",
          html: `<p>${text}</p>`,
          source: text === "!" ? "" : text,
          error: text === "!" ? "Down." : "",
          facts: [],
          hints: {},
          speed: "",
          reasoning_chars: 0,
          attempt: null,
          age_s: null,
          first_s: 0.1,
          latency_s: 1 + column,
          answer,
          output_tokens: text.length,
          cost_usd: null,
          is_replayed: false,
          rating: null,
        };
        return { ...cell, ...more(cell) };
      }),
    ),
  );
  return initialState(
    {
      table_class: "t",
      system: "",
      prompt: "Say it",
      prompt_html: "",
      chips: [],
      columns: columns.map((_, at) => ({
        key: `${at}`,
        letter: "ABC"[at] ?? "",
        provider: "groq",
        model: `model-${"abc"[at]}`,
        params: "",
        run: "",
        numbers: "",
        slot: 0,
        shade: 0,
      })),
      rows: Array.from({ length: prompts }, (_, at) => ({
        key: `${at}`,
        label: prompts > 1 ? `row ${at}` : "",
        prompt: prompts > 1 ? `Say ${at}` : "",
        change: null,
      })),
      rows_title: "prompt",
      columns_title: "model",
      variables: [],
      arranged: { rows: null, columns: null, colour: "model" },
      cells,
      summary: [],
      logged_as: "",
      can_run: true,
      notice: "",
      vote: null,
      ranking: null,
    },
    0,
  );
}

/** @param {BoardState} state @param {Partial<ViewState>} [changes] @returns {ViewState} */
const viewOf = (state, changes = {}) => ({ ...initialView(state), ...changes });

/** @param {readonly {key: string}[]} items */
const keys = (items) => items.map(({ key }) => key);

/** @param {BoardState} state @param {Partial<ViewState>} changes */
const found = (state, changes) => [...(matching(state, viewOf(state, changes)) ?? ["all"])];

const GRID = board([
  ["yes", "no", "a"],
  ["yes", "maybe", "b"],
  ["yes", "no", "!"],
]);

test("filters that have members count prompts, or answers to one prompt", () => {
  assert.deepEqual(filtersOf(GRID), [["all", 3], ["different", 2], ["errors", 1]]);
  assert.deepEqual(filtersOf(board([["a"], ["b"], ["a"]])), [["all", 3], ["different", 1]]);
  assert.deepEqual(filtersOf(board([["a"], ["a"]])), [["all", 2]]);
  assert.deepEqual(filtersOf(board([["a"], ["b"]])), [["all", 2]]); // all are different
});

test("different is what is not the most frequent answer; without one all are", () => {
  assert.deepEqual(found(GRID, { filter: "different" }), ["0.2", "1.1", "1.2"]);
  assert.deepEqual(found(GRID, { filter: "errors" }), ["2.2"]);
  assert.deepEqual(found(GRID, {}), ["all"]);
});

test("slow took twice the median, and a second", () => {
  const slow = board([["a"], ["b"], ["c"]], ({ column }) => ({ latency_s: column === "2" ? 9 : 0.2 }));
  const quick = board([["a"], ["b"], ["c"]], ({ column }) => ({ latency_s: column === "2" ? 0.9 : 0.2 }));
  const rated = board([["a"], ["b"]], ({ column }) => ({ rating: column === "1" ? -1 : null }));

  assert.deepEqual(found(slow, { filter: "slow" }), ["2.0"]);
  assert.deepEqual(found(quick, { filter: "slow" }), []);
  assert.deepEqual(found(rated, { filter: "rated" }), ["1.0"]);
});

test("words are looked for in prompts and answers, and numbers are compared", () => {
  assert.deepEqual(found(GRID, { query: "MAYBE" }), ["1.1"]);
  assert.deepEqual(found(GRID, { query: "say 1 no" }), ["0.1", "2.1"]);
  assert.deepEqual(found(GRID, { query: "latency>=2 latency<3" }), ["1.0", "1.1", "1.2"]);
  assert.deepEqual(found(GRID, { query: "model:-c is:failed" }), ["2.2"]);
  assert.deepEqual(found(GRID, { query: "cost<1" }), []);
  assert.deepEqual(parseQuery("Ratio a:b latency>x").words, ["ratio", "a:b", "latency>x"]);
});

test("where texts are not here the kernel looks", () => {
  const large = board([["yes", "no"]], () => ({ is_deferred: true, html: null, source: "" }));
  const told = reduce(large, { type: "update", found: { query: "no", cells: ["0.1"] } }, 0);

  assert.equal(remoteQuery(large, "no latency>1"), "no");
  assert.equal(remoteQuery(large, "latency>1"), "");
  assert.equal(remoteQuery(GRID, "no"), "");
  assert.deepEqual(found(large, { query: "no" }), []);
  assert.deepEqual(found(told, { query: "no" }), ["0.1"]);
  assert.deepEqual(found(told, { query: "nothing" }), []);
});

test("prompts are filtered and sorted", () => {
  const view = viewOf(GRID, { filter: "errors" });
  const byDifference = viewOf(GRID, { sort: { by: "different", isDown: false } });
  const slowest = viewOf(
    GRID,
    { sort: { by: "tokens", isDown: false } },
  );

  assert.deepEqual(keys(shownRows(GRID, view, matching(GRID, view))), ["2"]);
  assert.deepEqual(keys(shownRows(GRID, byDifference, null)), ["1", "2", "0"]);
  assert.deepEqual(keys(shownRows(GRID, slowest, null)), ["1", "0", "2"]);
});

test("columns are moved, pinned and hidden; new ones come last", () => {
  const [all, start] = [keys(GRID.columns), viewOf(GRID)];
  const moved = moveColumn(start, all, "2", -1);
  const pinned = togglePinned(start, "2");
  const hidden = hideColumn(moved, "0");

  assert.equal(shownColumns(GRID, start), GRID.columns);
  assert.deepEqual(keys(shownColumns(GRID, moved)), ["0", "2", "1"]);
  assert.deepEqual(keys(shownColumns(GRID, moveColumn(start, all, "0", -1))), all);
  assert.deepEqual(keys(shownColumns(GRID, pinned)), ["2", "0", "1"]);
  assert.deepEqual(keys(shownColumns(GRID, hidden)), ["2", "1"]);
  assert.deepEqual(keys(shownColumns(GRID, moveColumn(start, all.slice(0, 2), "0", 1))), ["1", "0", "2"]);
});

test("equal repeats are one, and the spread is told", () => {
  const state = board([["a|b|a"], ["c|c|c"], ["d|e|f"]]);
  const at = (/** @type {string} */ column) => factsOf(state).at.get(placeOf(column, "0")) ?? [];
  const groups = groupsOf(at("0"));
  const words = ["0", "1", "2"].map((column) => agreement(at(column), groupsOf(at(column))));

  assert.deepEqual(groups.map(({ cell, count }) => [cell.source, count]), [["a", 2], ["b", 1]]);
  assert.equal(shownGroup(groups, at("0"), 2), 0);
  assert.equal(shownGroup(groups, at("0"), 1), 1);
  assert.deepEqual(words, ["2 of 3 repeats the same", "all 3 repeats the same", "3 different repeats"]);
});

test("lists that are as they were keep their identity", () => {
  const before = factsOf(GRID);
  const next = reduce(GRID, { type: "update", cells: [{ key: "0.0", rating: 1 }] }, 0);
  const after = factsOf(next);

  assert.equal(factsOf(GRID), before);
  assert.notEqual(after.at.get("0|0"), before.at.get("0|0"));
  assert.equal(after.at.get("1|1"), before.at.get("1|1"));
});

test("the table has a line for each different answer, sorted by anything", () => {
  const state = board([["a|b|a"], ["bb|bb|bb"]]);
  const lines = (/** @type {ViewState} */ view) =>
    tableLines(state, view, state.columns, null).map(({ cell, count }) => `${cell.source}×${count}`);
  const by = sortBy(viewOf(state), "tokens");

  assert.deepEqual(lines(viewOf(state)), ["a×2", "b×1", "bb×3"]);
  assert.deepEqual(lines(sortBy(by, "tokens")), ["bb×3", "a×2", "b×1"]);
  assert.deepEqual(lines(sortBy(viewOf(state), "answer")), ["a×2", "b×1", "bb×3"]);
  assert.equal(sortBy(sortBy(by, "tokens"), "tokens").sort, null);
});

test("an answer is compared with the column, the repeat, or all others", () => {
  const state = board([["a|b"], ["c|c"], ["!|!"]]);
  const view = toggleDiff(viewOf(state), "1");
  const comparer = new Comparer();
  const bases = (/** @type {ViewState["diff"]} */ diff, /** @type {string} */ key) => {
    const cell = state.cells.get(key);
    const compared = cell && comparer.of(diff, factsOf(state), view, state.columns, cell);
    return compared?.cells.map(({ source }) => source) ?? null;
  };

  assert.deepEqual(bases(view.diff, "0.0"), ["c"]);
  assert.equal(bases(view.diff, "1.0"), null); // the base itself
  assert.equal(bases(view.diff, "2.0"), null); // an error
  assert.deepEqual(bases({ unit: "words", base: REPEATS }, "0.0"), ["b"]);
  assert.equal(bases({ unit: "words", base: REPEATS }, "1.0"), null);
  assert.deepEqual(bases({ unit: "only", base: "0" }, "0.0"), ["c"]);
  assert.equal(bases(null, "0.0"), null);
  assert.equal(changeDiff(view, { unit: "json" }).unit, "json");
  assert.equal(changeDiff(viewOf(state), { unit: "json" }).diff, null);
});

test("what is compared keeps its identity while it is the same", () => {
  const comparer = new Comparer();
  const state = board([["a"], ["b"]]);
  const view = toggleDiff(viewOf(state), "0");
  const cell = state.cells.get("1.0");
  assert.ok(cell);
  const of = () => comparer.of(view.diff, factsOf(state), view, state.columns, cell);

  assert.equal(of(), of());
});

test("of several runs each is compared with the one before, and what has changed comes first", () => {
  const one = board([["a", "b", "c"], ["a", "x", "y"], ["n", "n", "n"]]);
  const columns = one.columns.map((column, at) => ({
    ...column,
    model: at < 2 ? "m" : "n",
    run: at === 1 ? "run 2" : "run 1",
  }));
  const rows = one.rows.map((row, at) => ({ ...row, change: [0, 0.2, 0.9][at] ?? null }));
  const state = { ...one, columns, rows };
  const view = viewOf(state);
  const base = (/** @type {string} */ key) => {
    const cell = state.cells.get(key);
    return cell && new Comparer().of(view.diff, factsOf(state), view, columns, cell)?.cells[0]?.key;
  };

  assert.deepEqual(keys(shownRows(state, view, null)), ["2", "1", "0"]);
  assert.deepEqual(["0.1", "1.1", "2.1"].map(base), [undefined, "0.1", undefined]);
  assert.equal(obey("diff", state, { ...view, diff: null }).view.diff?.base, "run");
});

test("keys are for the board, and letters not while somebody types", () => {
  const key = (/** @type {string} */ name, isTyping = false, more = {}) =>
    commandOf({ key: name, ctrlKey: false, metaKey: false, altKey: false, ...more }, isTyping);

  assert.deepEqual(["d", "f", "/", "?", "3", "j"].map((name) => key(name)), [
    "diff", "focus", "search", "help", "column 3", "next_row",
  ]);
  assert.equal(key("d", true), null);
  assert.equal(key("Escape", true), "stop");
  assert.equal(key("Enter", true, { metaKey: true }), "run");
  assert.equal(key("Enter"), null);
  assert.equal(key("d", false, { ctrlKey: true }), null);
  assert.equal(key("constructor"), null);
});

test("Escape closes what is open, the last first, and then stops", () => {
  const running = board([["a"], ["b"]], ({ column }) => ({ state: column === "1" ? "running" : "ok" }));
  let view = viewOf(running, { panel: "Help", query: "a", mode: "focus", before: "grid" });
  const steps = [];
  for (let step = 0; step < 4; step++) {
    const outcome = obey("stop", running, view);
    view = outcome.view;
    steps.push(outcome.also);
  }
  const done = obey("stop", board([["a"], ["b"]]), view);
  const nothing = obey("stop", board([["a"]]), { ...view, mode: "columns" });

  assert.deepEqual(steps, ["leave", "leave", "stop", "stop"]);
  assert.equal(done.view.mode, "grid");
  assert.equal(nothing.isTaken, false);
});

test("commands turn, focus and run", () => {
  const view = viewOf(GRID);
  const focused = obey("focus", GRID, view).view;
  const turned = obey("next_column", GRID, obey("previous_row", GRID, focused).view).view;

  assert.equal(view.mode, "grid");
  assert.equal(focused.mode, "focus");
  assert.deepEqual([turned.column, turned.row], ["1", "2"]);
  assert.equal(obey("focus", GRID, turned).view.mode, "grid");
  assert.equal(obey("run", GRID, view).also, "run");
  assert.equal(obey("run", { ...GRID, can_run: false }, view).also, null);
  assert.equal(obey("column 2", GRID, view).also, "column 1");
  assert.equal(obey("column 9", GRID, view).isTaken, false);
  assert.equal(obey("diff", GRID, view).view.diff?.base, "0");
  assert.equal(obey("diff", board([["a|b"]]), viewOf(GRID)).view.diff?.base, REPEATS);
});

test("Focus returns to the view it came from; a repeat that was turned to stays", () => {
  const view = showSample(showMode(viewOf(GRID), "table"), "0|0", 2);
  const focused = focusOn(view, "1", "2");

  assert.deepEqual([focused.before, focused.column, focused.row], ["table", "1", "2"]);
  assert.equal(focusOn(focused, "0", null).before, "table");
  assert.equal(focused.samples.get("0|0"), 2);
  assert.equal(viewOf(board([["a"]])).mode, "columns");
});

test("an answer is found by its model, whatever stands in columns", () => {
  const state = board([["a"], ["b"]], ({ column }) => (column === "1" ? { model: "groq/model-c" } : {}));

  assert.deepEqual(found(state, { query: "model:model-c" }), ["1.0"]);
  assert.deepEqual(found(state, { query: "model:model-a" }), ["0.0"]);
});

test("equal answers in one place keep the names of the calls that they are of", () => {
  const state = board([["a|b|a"]], (cell) => ({ label: `temperature ${cell.sample}` }));
  const cells = factsOf(state).at.get(placeOf("0", "0")) ?? [];
  const plain = factsOf(board([["a|a"]])).at.get(placeOf("0", "0")) ?? [];

  assert.deepEqual(groupsOf(cells).map(({ count, labels }) => [count, ...labels]), [
    [2, "temperature 0", "temperature 2"],
    [1, "temperature 1"],
  ]);
  assert.deepEqual(groupsOf(plain).map(({ labels }) => [...labels].join()), [""]);
});
