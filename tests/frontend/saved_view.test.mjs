/** What a person has chosen goes through the widget's state as JSON, and comes back as it was. */

import assert from "node:assert/strict";
import test from "node:test";

import { PageModel } from "../../allos/notebook/board/frontend/src/export/model.js";
import { packed, restored } from "../../allos/notebook/board/frontend/src/saved_view.js";
import { Store } from "../../allos/notebook/board/frontend/src/store.js";
import { INITIAL_VIEW } from "../../allos/notebook/board/frontend/src/view_state.js";
import { readFileSync } from "node:fs";

/** @import { ViewState } from "../../allos/notebook/board/frontend/src/view_state.js" */

/** @type {ViewState} */
const CHOSEN = {
  ...INITIAL_VIEW,
  mode: "focus",
  before: "grid",
  row: "3",
  column: "1",
  filter: "errors",
  query: "carrier",
  diff: { unit: "only", base: "0" },
  unit: "only",
  sort: { by: "cost", isDown: true },
  order: ["1", "0"],
  pinned: new Set(["1"]),
  hidden: new Set(["2"]),
  expanded: new Set(["0.0"]),
  samples: new Map([["1|3", 2]]),
};

test("a view comes back as it was", () => {
  const saved = JSON.parse(JSON.stringify(packed(CHOSEN)));

  assert.deepEqual(restored(INITIAL_VIEW, saved), CHOSEN);
});

test("what is not valid stays as it was", () => {
  const wild = { mode: "table", before: 3, row: {}, filter: "x", diff: ["y"], sort: "cost", order: [1], samples: [[1]] };

  for (const nothing of [undefined, null, {}, 7, { mode: "constructor" }]) {
    assert.equal(restored(INITIAL_VIEW, nothing), INITIAL_VIEW);
  }
  assert.deepEqual(restored(INITIAL_VIEW, wild), { ...INITIAL_VIEW, mode: "table" });
});

test("a store keeps the last of several choices", async () => {
  const { snapshot } = JSON.parse(readFileSync(new URL("messages.json", import.meta.url), "utf8"));
  const model = new PageModel({ snapshot });
  const store = new Store(model, async () => assert.fail());
  store.keepView(() => ({ mode: "grid" }));
  store.keepView(() => ({ mode: "table" }));
  await new Promise((resume) => setTimeout(resume, 350));

  assert.deepEqual(store.keptView, { mode: "table" });
});
