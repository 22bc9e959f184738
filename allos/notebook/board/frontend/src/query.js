/**
 * What is typed into the search field: words, and conditions such as `latency>2`, `model:gpt`, `is:failed`.
 *
 * @import { CellState } from "./state.js"
 *
 * @typedef {object} Query
 * @property {string[]} words in lower case; all of them must be in the prompt or the answer
 * @property {((cell: CellState, model: string) => boolean)[]} conditions
 */

/** @type {Record<string, (cell: CellState) => number | null>} */
export const METRICS = {
  latency: (cell) => cell.latency_s,
  first: (cell) => cell.first_s,
  tokens: (cell) => cell.output_tokens,
  cost: (cell) => cell.cost_usd,
  rating: (cell) => cell.rating,
};

/** @type {Record<string, CellState["state"]>} */
const STATES = { failed: "error", error: "error", done: "ok", ok: "ok", stopped: "cancelled", running: "running" };
const CONDITION = /^(\w+)(<=|>=|<|>|=|:)(.+)$/;

/** @param {string} text @returns {Query} */
export function parseQuery(text) {
  /** @type {Query} */
  const query = { words: [], conditions: [] };
  for (const word of text.toLowerCase().split(/\s+/).filter(Boolean)) {
    const condition = conditionOf(word);
    if (condition) query.conditions.push(condition);
    else query.words.push(word);
  }
  return query;
}

/** @param {string} word @returns {Query["conditions"][number] | null} */
function conditionOf(word) {
  const [, name = "", sign = "", value = ""] = CONDITION.exec(word) ?? [];
  if (name === "model" && (sign === ":" || sign === "=")) return (_, model) => model.includes(value);
  const state = STATES[value];
  if ((name === "is" || name === "state") && state) return (cell) => cell.state === state;
  const metric = METRICS[name];
  const limit = Number(value.replace(/^\$/, "").replace(/s$/, ""));
  if (!metric || Number.isNaN(limit)) return null;
  return (cell) => {
    const known = metric(cell);
    return known !== null && compare(known, sign, limit);
  };
}

/** @param {number} known @param {string} sign @param {number} limit */
function compare(known, sign, limit) {
  if (sign.startsWith("<")) return known < limit || (sign === "<=" && known === limit);
  if (sign.startsWith(">")) return known > limit || (sign === ">=" && known === limit);
  return known === limit;
}
