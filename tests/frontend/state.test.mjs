/** The state of a board after the messages that `scripted.py` has recorded, and after faulty ones. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import {
  elapsed_s,
  initialState,
  isActive,
  reduce,
} from "../../allos/notebook/board/frontend/src/state.js";

/**
 * @import { CellUpdate, KernelMessage, Snapshot } from "../../allos/notebook/board/frontend/src/protocol.js"
 * @import { BoardState } from "../../allos/notebook/board/frontend/src/state.js"
 */

/** @type {{snapshot: Snapshot, messages: {when: string, message: KernelMessage}[]}} */
const { snapshot, messages } = JSON.parse(
  readFileSync(new URL("messages.json", import.meta.url), "utf8"),
);

const START_MS = 1000;

/** The states after each message, by what the message tells of. */
function play() {
  let state = initialState(snapshot, START_MS);
  /** @type {Map<string, BoardState>} */
  const states = new Map([["begin", state]]);
  for (const { when, message } of messages) {
    state = reduce(state, message, START_MS);
    assert.equal(state.has_gap, false, when);
    states.set(when, state);
  }
  return states;
}

const states = play();

/** @param {string} when */
function at(when) {
  const state = states.get(when);
  assert.ok(state, when);
  return state;
}

/** @param {BoardState} state @param {string} key */
function cell(state, key) {
  const found = state.cells.get(key);
  assert.ok(found, key);
  return found;
}

/** @param {BoardState} state @param {...CellUpdate} cells */
const updated = (state, ...cells) => reduce(state, { type: "update", cells }, START_MS);

test("text is put together, whether it comes in pieces or whole", () => {
  const pieces = cell(at("A goes on behind an offset that counts UTF-16 units"), "0.0");
  const whole = cell(at("A has doubled: its text comes whole"), "0.0");

  assert.equal(pieces.text, "Gravity is a hug 🎈 from the Earth.");
  assert.equal(whole.text, "Gravity is a hug 🎈 from the Earth. It is <b>strong</b>.");
});

test("times are on the page's clock", () => {
  const running = cell(at("two calls are sent"), "0.0");
  const waiting = cell(at("B waits for its next attempt"), "1.0");

  assert.equal(running.sent_at_ms, START_MS - 500);
  assert.equal(elapsed_s(running, START_MS + 250), 0.75);
  assert.equal(waiting.attempt?.due_at_ms, START_MS + 29_500);
  assert.equal(elapsed_s(cell(at("begin"), "0.0"), START_MS), 0);
  assert.equal(elapsed_s(cell(at("all have ended"), "0.0"), START_MS), 2);
});

test("a column may be there before its cells", () => {
  const before = at("a column is added, its cells are not there yet; B is asked again");
  const after = at("the cells of C are there");

  assert.deepEqual(before.columns.map(({ letter }) => letter), ["A", "B", "C"]);
  const cellsOf = (/** @type {BoardState} */ state) =>
    [...state.cells.values()].filter(({ column }) => column === "2").map(({ key }) => key);
  assert.deepEqual(cellsOf(before), []);
  assert.deepEqual(cellsOf(after), ["2.0", "2.1"]);
  assert.equal(cell(at("C writes"), "2.0").text, "Think of a trampoline.");
});

test("finished blocks come as HTML, and the text behind them begins anew", () => {
  const writes = cell(at("C writes"), "2.0");
  const rendered = cell(at("blocks of C are finished, a list is open"), "2.0");
  const goesOn = cell(at("C goes on behind its blocks"), "2.0");

  assert.deepEqual([writes.part, writes.blocks, writes.open], [0, [], ""]);
  assert.deepEqual(rendered.blocks, [
    "<p>Think of a trampoline.</p>\n",
    "<p>It <strong>bends</strong>.</p>\n",
  ]);
  assert.equal(rendered.open, "<ul>\n<li>one</li>\n</ul>\n");
  assert.equal(rendered.text, "- *two*\n- th");
  assert.equal(goesOn.blocks, rendered.blocks);
  assert.equal(goesOn.text, "- *two*\n- three");
});

test("blocks that are missing are noticed, and what is older than a snapshot is left out", () => {
  const before = at("blocks of C are finished, a list is open");
  const { part } = cell(before, "2.0");
  const gap = updated(before, { key: "2.0", part: part + 2, blocks_at: 3, blocks: ["<p>d</p>"], text: "" });
  const later = updated(before, { key: "2.0", part: part + 1, offset: 0, text: "text of the next part" });
  const older = updated(before, { key: "2.0", part: part - 1, offset: 0, text: "- one\n- *tw" });
  const all = updated(gap, { key: "2.0", part: part + 3, blocks_at: 0, blocks: ["<p>all</p>"], text: "x" });

  assert.equal(gap.has_gap, true);
  assert.equal(later.has_gap, true);
  assert.equal(older.has_gap, false);
  for (const state of [gap, later, older]) assert.equal(cell(state, "2.0").text, "- *two*\n- th");
  assert.equal(all.has_gap, false);
  assert.deepEqual(cell(all, "2.0").blocks, ["<p>all</p>"]);
});

test("what has not changed keeps its identity", () => {
  const before = at("a column is added, its cells are not there yet; B is asked again");
  const after = at("the cells of C are there");

  for (const key of before.cells.keys()) assert.equal(cell(after, key), cell(before, key));
  assert.equal(after.columns, before.columns);
});

test("a snapshot changes what is new alone", () => {
  const before = at("a press failed");
  const after = at("the page has asked for everything");
  const cells = snapshot.cells.map((one, place) => ({ ...one, reasoning_chars: place ? 0 : 7 }));
  const begin = at("begin");
  const one = reduce(begin, { type: "snapshot", snapshot: { ...snapshot, cells } }, START_MS);

  assert.equal(after.cells, before.cells);
  assert.notEqual(cell(one, "0.0"), cell(begin, "0.0"));
  assert.equal(cell(one, "0.1"), cell(begin, "0.1"));
  assert.equal(after.notice, "That did not work: the limit is 0.");
});

test("a new run voids the text of the one before", () => {
  const again = cell(at("the first A is asked again"), "0.0");

  assert.deepEqual([again.run, again.text, again.html], [1, "", null]);
  assert.equal(cell(at("it writes"), "0.0").text, "Once more.");
});

test("all ends", () => {
  const end = at("all have ended");

  assert.equal(isActive(at("it writes")), true);
  assert.equal(isActive(end), false);
  assert.deepEqual(
    [...end.cells.values()].map(({ key, state }) => `${key} ${state}`),
    ["0.0 ok", "0.1 ok", "1.0 ok", "1.1 cancelled", "2.0 error", "2.1 cancelled"],
  );
  assert.match(cell(end, "2.0").html ?? "", /is down/);
});

test("missing text is noticed, and what comes whole closes the gap", () => {
  const before = at("two calls are sent");
  const gap = updated(before, { key: "0.0", offset: 5, text: "later" });
  const closed = updated(gap, { key: "0.0", offset: 0, text: "All of it, later" });

  assert.equal(gap.has_gap, true);
  assert.equal(cell(gap, "0.0").text, "");
  assert.equal(closed.has_gap, false);
  assert.equal(cell(closed, "0.0").text, "All of it, later");
});

test("text that has come already is not taken twice", () => {
  const once = updated(at("two calls are sent"), { key: "0.0", offset: 0, text: "Gravity" });
  const twice = updated(once, { key: "0.0", offset: 0, text: "Gravity" });
  const overlapping = updated(twice, { key: "0.0", offset: 4, text: "ity pulls" });

  assert.equal(cell(twice, "0.0").text, "Gravity");
  assert.equal(cell(overlapping, "0.0").text, "Gravity pulls");
});

test("news of a cell that was never heard of is a gap", () => {
  const before = at("begin");
  const after = updated(before, { key: "7.0", state: "running", age_s: 0 });

  assert.equal(after.has_gap, true);
  assert.equal(after.cells, before.cells);
});

test("a press is pending until the kernel reacts", () => {
  const before = at("two calls are sent");
  const pressed = reduce(before, { type: "pressed", press: { action: "stop", cell: "0.0" } }, 0);
  const writing = updated(pressed, { key: "0.0", offset: 0, text: "more" });
  const stopped = updated(writing, { key: "0.0", state: "cancelled", html: "<p></p>" });
  const asked = reduce(pressed, { type: "snapshot", snapshot }, 0);

  assert.equal(cell(writing, "0.0").pending_action, "stop");
  assert.equal(cell(stopped, "0.0").pending_action, null);
  assert.equal(cell(asked, "0.0").pending_action, null);
  assert.equal(
    reduce(before, { type: "pressed", press: { action: "stop", cell: "7.0" } }, 0),
    before,
  );
});

test("the moment of the end is kept, however it is told", () => {
  const running = at("two calls are sent");
  /** @type {CellUpdate} */
  const end = { key: "0.0", state: "ok", html: "<p></p>", latency_s: 1, age_s: null };
  const ended = reduce(running, { type: "update", cells: [end] }, 5000);
  const cells = snapshot.cells.map((one) => ({ ...one, ...(one.key === "0.0" ? end : {}) }));
  const all = reduce(running, { type: "snapshot", snapshot: { ...snapshot, cells } }, 6000);

  assert.equal(cell(ended, "0.0").ended_at_ms, 5000);
  assert.equal(cell(all, "0.0").ended_at_ms, 6000);
  assert.equal(cell(updated(ended, { key: "0.0", run: 1, state: "queued" }), "0.0").ended_at_ms, null);
});

test("any word of the kernel ends a disconnection", () => {
  const lost = reduce(at("it writes"), { type: "disconnected" }, 0);

  assert.equal(lost.connected, false);
  assert.equal(reduce(lost, { type: "disconnected" }, 0), lost);
  assert.equal(reduce(lost, { type: "update", notice: "" }, 0).connected, true);
});

test("who votes has no names and no other answers; afterwards everything is there again", () => {
  const voting = at("a person votes: no names, no numbers, no other answers");
  const after = at("all pairs have a vote: everything is shown, and the ranking");

  assert.equal(voting.vote?.phase, "voting");
  assert.deepEqual([voting.columns, voting.chips, voting.summary, voting.cells.size], [[], [], [], 0]);
  assert.doesNotMatch(JSON.stringify(voting), /llama|mistral|latency/);
  assert.equal(after.vote, null);
  assert.equal(after.cells.size, 6);
  assert.deepEqual(after.ranking?.lines.map(({ key }) => key).sort(), ["0", "1"]);
});

test("a rating is shown at once, and taken back by the same press", () => {
  const ended = at("all have ended");
  const rated = reduce(ended, { type: "rated", cell: "0.0", rating: 1 }, START_MS);

  assert.equal(cell(rated, "0.0").rating, 1);
  assert.equal(reduce(rated, { type: "rated", cell: "9.9", rating: 1 }, START_MS), rated);
});
