/**
 * What differs between one answer and others, by their words as they are read, or by what their JSON says.
 *
 * @import { CellState } from "../state.js"
 * @import { DiffUnit } from "../view_state.js"
 * @import { Change } from "./diff.js"
 * @import { Granularity, Token } from "./tokens.js"
 *
 * @typedef {object} Tokens a text, and what is compared of it
 * @property {string} text
 * @property {readonly Token[]} tokens
 *
 * @typedef {object} Comparison
 * @property {string | null} json the answer as indented JSON, where that is compared
 * @property {readonly Token[]} tokens of the answer
 * @property {readonly Change[]} changes
 * @property {Tokens | null} base what is gone was a part of it
 */

import { markup } from "../answer_text.js";
import { diffTokens, onlyHere } from "./diff.js";
import { canonicalJson } from "./json.js";
import { textOf } from "./text_of.js";
import { tokenize } from "./tokens.js";

/**
 * @param {CellState & {html: string}} cell
 * @param {readonly CellState[]} others not empty; more than one for `only`
 * @param {DiffUnit} unit
 * @returns {Generator<undefined, Comparison>}
 */
export function* compare(cell, others, unit) {
  const [json, base_json] = unit === "json" ? [cell, ...others].map(({ source }) => canonicalJson(source)) : [];
  if (json != null && base_json != null) {
    const here = yield* tokensOf(json, "line");
    const base = yield* tokensOf(base_json, "line");
    return { json, tokens: here.tokens, changes: yield* diffTokens(base.tokens, here.tokens), base };
  }
  const granularity = unit === "sentences" ? "sentence" : "word";
  const { tokens } = yield* tokensOf(cell.html, granularity);
  const bases = [];
  for (const { html } of others) bases.push(yield* tokensOf(html ?? "", granularity));
  if (unit === "only") {
    return { json: null, tokens, changes: yield* onlyHere(tokens, bases.map((each) => each.tokens)), base: null };
  }
  const base = /** @type {Tokens} */ (bases[0]);
  return { json: null, tokens, changes: yield* diffTokens(base.tokens, tokens), base };
}

/** So many texts are kept as tokens, since many answers are compared with the same one. */
const MAX_KEPT = 32;
/** @type {Map<string, Tokens>} */
const kept = new Map();

/**
 * @param {string} source lines, or the HTML of an answer
 * @param {Granularity} granularity
 * @returns {Generator<undefined, Tokens>}
 */
function* tokensOf(source, granularity) {
  const key = `${granularity} ${source}`;
  let found = kept.get(key);
  if (!found) {
    const text = granularity === "line" ? source : textOf(markup(source)).text;
    found = { text, tokens: yield* tokenize(text, granularity) };
    const [oldest] = kept.keys();
    if (kept.size >= MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    kept.set(key, found);
  }
  return found;
}
