/** What the playground's page makes of what is typed and of what the kernel says. */

import assert from "node:assert/strict";
import test from "node:test";

import { piecesOf } from "../../allos/notebook/board/frontend/src/playground/highlight.js";
import { initialState, isPlanned, isRunnable, letterOf, moved, reduce, without, withColumn } from "../../allos/notebook/board/frontend/src/playground/state.js";
import { Store } from "../../allos/notebook/board/frontend/src/playground/store.js";

/** @returns {import("../../allos/notebook/board/frontend/src/playground/protocol.js").Draft} */
const draft = () => ({ prompt: "Hi", system: "", models: [], params: {}, n: "1", which: "all", count: "5", revision: 0 });

/** @param {Partial<import("../../allos/notebook/board/frontend/src/playground/protocol.js").Choice>} change */
const choice = (change) => ({ name: "groq/a", shown: "groq/a", price: "", window: "", obstacle: "", advice: "", usable: true, listable: false, ...change });

/** @param {number} revision @param {Record<string, string>} problems */
const plan = (revision, problems = {}) => ({ revision, problems, warnings: {}, models: [], code: "", calls: 1 });

const start = () => initialState((name) => ({ draft: draft(), facts: { parameters: [] }, plan: {}, runs: [] })[name]);

test("joined the pieces are the text, and only whole names are marked", () => {
  const cases = ["", "Hi", "{{ a }}", "x {{a}} y {{ b }}{{", "\\{{ a }} {{ a }}", "{{ a\n}} }}", "{{}}", "}}{{a}}"];
  for (const text of cases) {
    for (const columns of [null, ["a"], []]) assert.equal(piecesOf(text, columns).map((each) => each.text).join(""), text);
  }
  const kinds = piecesOf("x {{a}} y {{ b }} \\{{ a }}", ["a"]).filter(({ kind }) => kind);
  assert.deepEqual(kinds.map(({ text, kind }) => [text, kind]), [["{{a}}", "known"], ["{{ b }}", "unknown"]]);
  assert.equal(piecesOf("{{ a }}", null)[0]?.kind, "idle");
});

test("a plan is of what was typed when it was asked for", () => {
  let state = start();
  assert.equal(isPlanned(state), false);
  state = reduce(state, { type: "edit", change: { prompt: "More" } });
  state = reduce(state, { type: "trait", name: "plan", value: plan(0, { prompt: "Write a prompt." }) });
  assert.equal(isPlanned(state), false);
  assert.equal(isRunnable(state), true); // the kernel has the last word
  state = reduce(state, { type: "trait", name: "plan", value: plan(1, { prompt: "Write a prompt." }) });
  assert.equal(isRunnable(state), false);
  state = reduce(state, { type: "trait", name: "plan", value: plan(1) });
  assert.equal(isRunnable(state), true);
  assert.equal(isRunnable(reduce(state, { type: "started" })), false);
  assert.equal(isRunnable(reduce(reduce(state, { type: "started" }), { type: "ran" })), true);
  assert.equal(isRunnable(reduce(state, { type: "disconnected" })), false);
});

test("what is missing is not said once it is there", () => {
  const empty = { ...start(), draft: { ...draft(), prompt: " " }, plan: plan(0, { prompt: "Write a prompt.", models: "Choose a model." }) };
  const typed = reduce(empty, { type: "edit", change: { prompt: "N" } });
  assert.equal(typed.plan, null);
  const planned = { ...typed, plan: plan(1, { models: "Choose a model." }) };
  assert.equal(reduce(planned, { type: "edit", change: { prompt: "No" } }).plan, planned.plan);
  assert.equal(reduce(planned, { type: "add", name: "groq/a" }).plan, null);
});

test("what comes back late does not overwrite what is typed", () => {
  let state = reduce(start(), { type: "edit", change: { prompt: "Newer" } });
  state = reduce(state, { type: "trait", name: "draft", value: { ...draft(), prompt: "Older" } });
  assert.equal(state.draft.prompt, "Newer");
  state = reduce(state, { type: "trait", name: "draft", value: { ...draft(), prompt: "By code", revision: 7 } });
  assert.equal(state.draft.prompt, "By code");
});

test("models are added, changed and removed, and an old search is not shown", () => {
  let state = reduce(start(), { type: "picker", change: { open: true, query: "g", number: 2 } });
  state = reduce(state, { type: "models", number: 1, items: [choice({})], says: "" });
  assert.deepEqual(state.picker.items, []);
  state = reduce(state, { type: "models", number: 2, items: [choice({ usable: false }), choice({ name: "groq/b" })], says: "" });
  assert.equal(state.picker.at, 1); // the first that can be used
  assert.equal(moved(state.picker, 1), 0);
  assert.equal(moved({ ...state.picker, at: 0 }, -1), 1);
  state = reduce(state, { type: "add", name: "groq/b" });
  assert.deepEqual([state.picker.open, state.picker.query], [false, ""]);
  state = reduce(state, { type: "model", at: 0, model: { name: "groq/b", params: { seed: "1" } } });
  assert.deepEqual(state.draft.models, [{ name: "groq/b", params: { seed: "1" } }]);
  assert.equal(reduce(state, { type: "model", at: 0, model: null }).draft.models.length, 0);
  assert.equal(state.draft.revision, 2);
});

test("small things", () => {
  assert.deepEqual([0, 25, 26, 27].map(letterOf), ["A", "Z", "AA", "AB"]);
  assert.deepEqual(withColumn("ab", 1, 1, "x"), { text: "a{{ x }}b", at: 8 });
  assert.deepEqual(without({ a: "1", b: "2" }, "a"), { b: "2" });
});

test("what is typed is written back at the latest when a run starts", async () => {
  /** @type {any[]} */
  const said = [];
  /** @type {Record<string, any>} */
  const values = { draft: draft(), facts: { parameters: [] }, plan: plan(0), runs: [], notice: "", question: "" };
  /** @type {Record<string, ((...args: any[]) => void)[]>} */
  const listeners = {};
  const model = {
    get: (/** @type {string} */ name) => values[name],
    set: (/** @type {string} */ name, /** @type {any} */ value) => {
      values[name] = value;
      listeners[`change:${name}`]?.forEach((listener) => listener());
    },
    save_changes: () => said.push(["saved", values["draft"].prompt]),
    on: (/** @type {string} */ event, /** @type {any} */ listener) => (listeners[event] ??= []).push(listener),
    off: () => undefined,
    send: (/** @type {any} */ message) => said.push([message.action, message.draft?.prompt]),
  };
  const store = new Store(model);
  store.dispatch({ type: "edit", change: { prompt: "a" } });
  store.dispatch({ type: "edit", change: { prompt: "ab" } });
  assert.deepEqual(said, []);
  store.run();
  assert.deepEqual(said, [["saved", "ab"], ["run", "ab"]]);
  store.run(); // pressed twice
  assert.equal(said.length, 2);
  store.dispatch({ type: "edit", change: { prompt: "abc" } });
  store.close();
  assert.deepEqual(said.at(-1), ["saved", "abc"]);
});
