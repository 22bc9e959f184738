/** What a board's store asks of the kernel, and when. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { Store } from "../../allos/notebook/board/frontend/src/store.js";

/**
 * @import { Action, Snapshot } from "../../allos/notebook/board/frontend/src/protocol.js"
 */

/** @type {{snapshot: Snapshot}} */
const { snapshot } = JSON.parse(readFileSync(new URL("messages.json", import.meta.url), "utf8"));

const SILENT_MS = 6000;
const second = /** @type {any} */ ({});
const evaluate = async () => second;

/** A widget's model whose kernel is the test. */
function makeModel() {
  /** @type {Map<string, (...args: any[]) => void>} */
  const listeners = new Map();
  /** @type {Action[]} */
  const sent = [];
  return {
    sent,
    listeners,
    isOpen: true,
    get: () => snapshot,
    on: (/** @type {string} */ event, /** @type {() => void} */ listener) =>
      void listeners.set(event, listener),
    off: (/** @type {string} */ event) => void listeners.delete(event),
    send(/** @type {Action} */ action) {
      if (!this.isOpen) throw new Error("the line is closed");
      sent.push(action);
    },
    tell: (/** @type {unknown} */ message) => listeners.get("msg:custom")?.(message),
  };
}

test("after a silence the store asks, and less often while nothing is new", () => {
  const model = makeModel();
  const store = new Store(model, evaluate);
  const later_ms = performance.now() + SILENT_MS;
  store.checkSilence(performance.now());
  assert.deepEqual(model.sent, []);

  store.checkSilence(later_ms);
  assert.deepEqual(model.sent, [{ action: "sync" }]);

  model.tell({ type: "snapshot", snapshot });
  store.checkSilence(later_ms);
  assert.equal(model.sent.length, 1);
});

test("a snapshot with news means that messages were lost: the store asks soon again", () => {
  const model = makeModel();
  const store = new Store(model, evaluate);
  const later_ms = performance.now() + SILENT_MS;
  store.checkSilence(later_ms);
  const cells = snapshot.cells.map((cell) => ({ ...cell, reasoning_chars: 7 }));
  model.tell({ type: "snapshot", snapshot: { ...snapshot, cells } });
  store.checkSilence(later_ms);

  assert.equal(model.sent.length, 2);
});

test("who has missed text asks for everything", () => {
  const model = makeModel();
  new Store(model, evaluate);
  model.tell({ type: "update", cells: [{ key: "0.0", offset: 5, text: "late" }] });

  assert.deepEqual(model.sent, [{ action: "sync" }]);
});

test("one press is one action", () => {
  const model = makeModel();
  const store = new Store(model, evaluate);
  store.press("0.1");
  store.press("0.1");
  store.press("7.7");

  assert.deepEqual(model.sent, [{ action: "stop", cell: "0.1" }]);
});

test("a press meant for Stop is no Retry", () => {
  const model = makeModel();
  const store = new Store(model, evaluate);
  model.tell({ type: "update", cells: [{ key: "0.1", state: "ok", html: "<p></p>" }] });
  store.press("0.1");

  assert.deepEqual(model.sent, []);
});

test("a closed line is a lost kernel, until somebody speaks", () => {
  const model = makeModel();
  const store = new Store(model, evaluate);
  let draws = 0;
  store.subscribe(() => (draws += 1));
  model.isOpen = false;
  model.listeners.get("comm:close")?.();
  assert.equal(store.state.connected, false);

  model.tell({ kind: "anywidget-command" });
  assert.equal(store.state.connected, false);

  model.tell({ type: "update", notice: "" });
  assert.equal(store.state.connected, true);
  assert.equal(draws, 2);
});

test("a closed store hears nothing", () => {
  const model = makeModel();
  new Store(model, evaluate).close();

  assert.equal(model.listeners.size, 0);
});

test("the second script is asked for once; who waits for it reads why", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const model = makeModel();
  const store = new Store(model, evaluate);
  model.tell({ type: "script", text: "for another page" });
  store.needSecond();
  store.needSecond();
  assert.deepEqual(model.sent, [{ action: "script" }]);
  assert.equal(store.later.said, "");

  t.mock.timers.tick(2000);
  assert.match(store.later.said, /The kernel is busy/);
  model.tell({ type: "script", text: "here it is" });
  return new Promise(setImmediate).then(() => assert.equal(store.later.second, second));
});

test("without a kernel there is no second script, and that is said", () => {
  const model = makeModel();
  const store = new Store(model, evaluate);
  model.isOpen = false;
  store.send({ action: "sync" });
  store.needSecond();

  assert.equal(store.later.said, "This needs the kernel.");
  assert.equal(model.sent.length, 0);
});

test("the second script is a function of what the first one hands over", async () => {
  const path = "../../allos/notebook/board/static/board-second.js";
  const text = readFileSync(new URL(path, import.meta.url), "utf8");
  const { default: make } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  const asked = new Set();
  const second = make((/** @type {string} */ name) => {
    asked.add(name);
    return { createContext: () => null };
  });

  assert.ok(asked.has("preact/hooks"));
  assert.deepEqual(Object.keys(second.default).sort(), ["AddModel", "Arrange", "Help", "Marker", "RankingView", "VoteView"]);
});
