/** A link names an answer by letter and row, of its own comparison alone. */

import assert from "node:assert/strict";
import test from "node:test";

import { linkTo, linked } from "../../allos/notebook/board/frontend/src/links.js";

/** @import { Column, Row } from "../../allos/notebook/board/frontend/src/protocol.js" */

const columns = /** @type {Column[]} */ ([{ key: "0", letter: "A" }, { key: "1", letter: "AB" }]);
const rows = /** @type {Row[]} */ ([{ key: "0" }, { key: "11" }]);
const state = { table_class: "allos-cmp-cmp_1", columns, rows };

test("a link leads to what it was made of", () => {
  const link = linkTo(state, "1", "11");

  assert.equal(link, "#allos-cmp-cmp_1-ab12");
  assert.deepEqual(linked(state, link), { column: "1", row: "11" });
  assert.equal(linkTo({ table_class: "", columns }, "0", "0"), "#allos-a1");
});

test("other links are left alone", () => {
  for (const link of ["", "#", "#allos-cmp-cmp_1-", "#allos-cmp-cmp_1-c1", "#allos-cmp-cmp_1-a3", "#allos-cmp-cmp_2-a1"]) {
    assert.equal(linked(state, link), null);
  }
});
