/**
 * What differs between two lists of tokens. Anchors first: runs of tokens that occur once in either list,
 * in the order that both have (patience diff); what is between two anchors is short, and is compared token
 * by token. So the time grows with the length of the texts and not with its square, whatever a model has written.
 *
 * @import { Token } from "./tokens.js"
 *
 * @typedef {object} Change a run of `a` that was replaced by a run of `b`; either may be empty
 * @property {number} a0
 * @property {number} a1 behind its last token
 * @property {number} b0
 * @property {number} b1
 */

/** An anchor has so many tokens: where few words occur once, some runs of words do. */
const RUNS = [1, 3, 8];
/** Between anchors: more tokens than this are not compared one by one, they were replaced. */
const MAX_BETWEEN = 400;
/** So many tokens are looked at before others get their turn. */
const SLICE = 2000;

/**
 * @param {readonly Token[]} a
 * @param {readonly Token[]} b
 * @returns {Generator<undefined, Change[]>}
 */
export function* diffTokens(a, b) {
  /** @type {Change[]} */
  const changes = [];
  /** @type {Change[]} */
  const stack = [{ a0: 0, a1: a.length, b0: 0, b1: b.length }];
  let work = 0;
  while (stack.length) {
    const range = trimmed(a, b, /** @type {Change} */ (stack.pop()));
    const length = range.a1 - range.a0 + (range.b1 - range.b0);
    if (!length) continue;
    work += length;
    if (work > MAX_BETWEEN) {
      work = 0;
      yield;
    }
    if (length <= MAX_BETWEEN || range.a0 === range.a1 || range.b0 === range.b1) {
      changes.push(...between(a, b, range));
      continue;
    }
    /** @type {[number, number][]} */
    let anchors = [];
    for (const run of RUNS) {
      anchors = yield* findAnchors(a, b, range, run);
      if (anchors.length) break;
    }
    if (anchors.length) split(range, anchors, stack);
    else changes.push(range);
  }
  return changes.sort((x, y) => x.b0 - y.b0 || x.a0 - y.a0);
}

/** Without what is equal at its two ends. @param {readonly Token[]} a @param {readonly Token[]} b @param {Change} range @returns {Change} */
function trimmed(a, b, { a0, a1, b0, b1 }) {
  while (a0 < a1 && b0 < b1 && a[a0]?.key === b[b0]?.key) a0++, b0++;
  while (a0 < a1 && b0 < b1 && a[a1 - 1]?.key === b[b1 - 1]?.key) a1--, b1--;
  return { a0, a1, b0, b1 };
}

/**
 * Pairs of tokens that begin runs which occur once in both ranges, as many as stand in the same order.
 * @param {readonly Token[]} a
 * @param {readonly Token[]} b
 * @param {Change} range
 * @param {number} run
 * @returns {Generator<undefined, [at_a: number, at_b: number][]>}
 */
function* findAnchors(a, b, { a0, a1, b0, b1 }, run) {
  const once_a = yield* onlyOnce(a, a0, a1, run);
  const once_b = yield* onlyOnce(b, b0, b1, run);
  /** @type {[number, number][]} */
  const pairs = [];
  for (const [key, at_a] of once_a) {
    const at_b = once_b.get(key);
    if (at_a >= 0 && at_b !== undefined && at_b >= 0) pairs.push([at_a, at_b]);
  }
  return longestIncreasing(pairs);
}

/** Where each run is; -1 when it is there more than once. @param {readonly Token[]} tokens @param {number} from @param {number} to @param {number} run @returns {Generator<undefined, Map<string, number>>} */
function* onlyOnce(tokens, from, to, run) {
  /** @type {Map<string, number>} */
  const at = new Map();
  for (let index = from; index + run <= to; index++) {
    if ((index - from) % SLICE === SLICE - 1) yield;
    let key = /** @type {Token} */ (tokens[index]).key;
    for (let next = 1; next < run; next++) key += `\0${tokens[index + next]?.key}`;
    at.set(key, at.has(key) ? -1 : index);
  }
  return at;
}

/** Longest run of pairs, in order of their first, whose second grows. @param {[number, number][]} pairs */
function longestIncreasing(pairs) {
  /** @type {number[]} ends of the best runs by length, as places in `pairs` */
  const ends = [];
  const before = new Int32Array(pairs.length);
  pairs.forEach(([, at_b], place) => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (/** @type {[number, number]} */ (pairs[/** @type {number} */ (ends[middle])])[1] < at_b) low = middle + 1;
      else high = middle;
    }
    before[place] = low ? /** @type {number} */ (ends[low - 1]) : -1;
    ends[low] = place;
  });
  const run = [];
  for (let place = ends.at(-1) ?? -1; place >= 0; place = before[place] ?? -1) {
    run.push(/** @type {[number, number]} */ (pairs[place]));
  }
  return run.reverse();
}

/** @param {Change} range @param {[number, number][]} anchors @param {Change[]} stack */
function split({ a0, a1, b0, b1 }, anchors, stack) {
  let [from_a, from_b] = [a0, b0];
  for (const [at_a, at_b] of anchors) {
    stack.push({ a0: from_a, a1: at_a, b0: from_b, b1: at_b });
    [from_a, from_b] = [at_a + 1, at_b + 1];
  }
  stack.push({ a0: from_a, a1, b0: from_b, b1 });
}

/** Compare what is short. @param {readonly Token[]} a @param {readonly Token[]} b @param {Change} range @returns {Change[]} */
function between(a, b, range) {
  const { a0, a1, b0, b1 } = range;
  if (a0 === a1 || b0 === b1) return [range];
  const width = b1 - b0 + 1;
  // Length of the longest common part of what begins at a pair of tokens.
  const common = new Uint16Array((a1 - a0 + 1) * width);
  const at = (/** @type {number} */ i, /** @type {number} */ j) => (i - a0) * width + j - b0;
  const length = (/** @type {number} */ i, /** @type {number} */ j) => common[at(i, j)] ?? 0;
  for (let i = a1 - 1; i >= a0; i--) {
    for (let j = b1 - 1; j >= b0; j--) {
      common[at(i, j)] =
        a[i]?.key === b[j]?.key ? 1 + length(i + 1, j + 1) : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  /** @type {Change[]} */
  const changes = [];
  let [i, j] = [a0, b0];
  while (i < a1 || j < b1) {
    const change = { a0: i, a1: i, b0: j, b1: j };
    while (i < a1 && j < b1 && a[i]?.key === b[j]?.key) i++, j++;
    Object.assign(change, { a0: i, b0: j });
    while ((i < a1 || j < b1) && !(i < a1 && j < b1 && a[i]?.key === b[j]?.key)) {
      if (j === b1 || (i < a1 && length(i + 1, j) >= length(i, j + 1))) i++;
      else j++;
    }
    if (i > change.a0 || j > change.b0) changes.push({ ...change, a1: i, b1: j });
  }
  return changes;
}

/**
 * Runs of tokens that no other text has.
 * @param {readonly Token[]} tokens
 * @param {readonly (readonly Token[])[]} others
 * @returns {Generator<undefined, Change[]>}
 */
export function* onlyHere(tokens, others) {
  const known = new Set();
  for (const other of others) {
    for (const { key } of other) known.add(key.toLowerCase());
    yield;
  }
  /** @type {Change[]} */
  const changes = [];
  tokens.forEach(({ key }, at) => {
    if (known.has(key.toLowerCase())) return;
    const last = changes.at(-1);
    if (last?.b1 === at) last.b1 = at + 1;
    else changes.push({ a0: 0, a1: 0, b0: at, b1: at + 1 });
  });
  return changes;
}
