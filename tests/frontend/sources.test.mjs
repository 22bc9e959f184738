/** One place of the page's sources makes markup out of a string. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";

const SOURCES = new URL("../../allos/notebook/board/frontend/src/", import.meta.url);
const MARKUP = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|setHTML/gi;

test("a model's words are never parsed as HTML", () => {
  const found = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.jsx?$/.test(name))
    .flatMap((name) => {
      const text = readFileSync(new URL(name, SOURCES), "utf8");
      return [...text.matchAll(MARKUP)].map(([word]) => `${name}: ${word}`);
    });

  assert.deepEqual(found, ["answer_text.js: innerHTML"]);
});
