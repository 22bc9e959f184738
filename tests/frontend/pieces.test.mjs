/** The small parts of the board's page that need no page: words, widths, and what a person has opened. */

import assert from "node:assert/strict";
import test from "node:test";

import { clock, seconds, stateLabel } from "../../allos/notebook/board/frontend/src/format.js";
import { arrange } from "../../allos/notebook/board/frontend/src/layout.js";
import {
  INITIAL_VIEW,
  PROMPT,
  showSample,
  toggleExpanded,
} from "../../allos/notebook/board/frontend/src/view_state.js";

/** @import { CellState } from "../../allos/notebook/board/frontend/src/state.js" */

/** @type {CellState} */
const CELL = {
  key: "0.0",
  column: "0",
  row: "0",
  is_deferred: false,
  sample: 0,
  run: 0,
  state: "running",
  part: 0,
  blocks: [],
  open: "",
  text: "",
  source: "",
  html: null,
  facts: [],
  hints: {},
  speed: "",
  reasoning_chars: 0,
  attempt: null,
  first_s: null,
  latency_s: null,
  answer: 0,
  output_tokens: null,
  cost_usd: null,
  is_replayed: false,
  rating: null,
  error: "",
  sent_at_ms: 0,
  ended_at_ms: null,
  pending_action: null,
};
const ATTEMPT = { next: 2, of: 5, in_s: 3, title: "", message: "", due_at_ms: 3000 };

test("durations have no more digits than a reader can use", () => {
  assert.deepEqual([0.0184, 0.92, 2.14, 59.96, 125].map(seconds), [
    "18 ms",
    "0.92 s",
    "2.1 s",
    "1 min 0 s",
    "2 min 5 s",
  ]);
  assert.deepEqual([0, 0.123, 59.94, 61].map(clock), ["–", "0.1 s", "59.9 s", "1 min 1 s"]);
});

test("a state is a word, a wait counts down", () => {
  /** @type {[Partial<CellState>, string][]} */
  const words = [
    [{}, "asked"],
    [{ reasoning_chars: 9 }, "reasoning"],
    [{ text: "Hi", reasoning_chars: 9 }, "writing"],
    [{ text: "Hi", speed: "41 tok/s" }, "41 tok/s"],
    [{ state: "waiting", attempt: ATTEMPT }, "try 2 of 5 in 3 s"],
    [{ state: "waiting", attempt: { ...ATTEMPT, due_at_ms: 0 } }, "try 2 of 5"],
    [{ state: "cancelled" }, "stopped"],
  ];
  for (const [facts, word] of words) assert.equal(stateLabel({ ...CELL, ...facts }, 1), word);
});

test("columns stand in equal rows", () => {
  const across = (/** @type {number} */ count, /** @type {number} */ width_px) =>
    arrange(count, width_px).across;

  assert.deepEqual([across(2, 620), across(8, 620), across(8, 1800), across(7, 1200)], [2, 2, 4, 4]);
  assert.deepEqual([across(3, 0), across(0, 900)], [1, 1]);
  assert.deepEqual([arrange(2, 620).isNarrow, arrange(2, 900).isNarrow], [true, false]);
});

test("what is open stays open, whatever else a person does", () => {
  const open = toggleExpanded(toggleExpanded(INITIAL_VIEW, "0.0"), PROMPT);
  const turned = showSample(open, "0", 2);
  const closed = toggleExpanded(turned, PROMPT);

  assert.deepEqual([...turned.expanded], ["0.0", PROMPT]);
  assert.deepEqual([...closed.expanded], ["0.0"]);
  assert.equal(closed.samples.get("0"), 2);
  assert.equal(INITIAL_VIEW.expanded.size + INITIAL_VIEW.samples.size, 0);
});
