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

/** Tokens as numbers, equal ones by the same: nothing is made for each, and comparing is cheap. @typedef {Int32Array} Numbers */

/**
 * @param {readonly Token[]} tokens_a
 * @param {readonly Token[]} tokens_b
 * @returns {Generator<undefined, Change[]>}
 */
export function* diffTokens(tokens_a, tokens_b) {
  /** @type {Map<string, number>} */
  const known = new Map();
  const a = yield* numbered(tokens_a.length, known, (at) => /** @type {Token} */ (tokens_a[at]).key);
  const b = yield* numbered(tokens_b.length, known, (at) => /** @type {Token} */ (tokens_b[at]).key);
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
      between(a, b, range, changes);
      continue;
    }
    let isSplit = false;
    for (const run of RUNS) {
      isSplit = yield* splitAtAnchors(a, b, range, run, known.size, stack);
      if (isSplit) break;
    }
    if (!isSplit) changes.push(range);
  }
  return changes.sort((x, y) => x.b0 - y.b0 || x.a0 - y.a0);
}

/** @param {number} count @param {Map<string, number>} known @param {(at: number) => string} keyAt @returns {Generator<undefined, Numbers>} */
function* numbered(count, known, keyAt) {
  const numbers = new Int32Array(count);
  for (let at = 0; at < count; at++) {
    if (at % SLICE === SLICE - 1) yield;
    const key = keyAt(at);
    let number = known.get(key);
    if (number === undefined) known.set(key, (number = known.size));
    numbers[at] = number;
  }
  return numbers;
}

/** Without what is equal at its two ends. @param {Numbers} a @param {Numbers} b @param {Change} range @returns {Change} */
function trimmed(a, b, { a0, a1, b0, b1 }) {
  while (a0 < a1 && b0 < b1 && a[a0] === b[b0]) a0++, b0++;
  while (a0 < a1 && b0 < b1 && a[a1 - 1] === b[b1 - 1]) a1--, b1--;
  return { a0, a1, b0, b1 };
}

/**
 * Split a range at tokens that begin runs which occur once in both texts of it, at as many as stand in the same order.
 * @param {Numbers} a
 * @param {Numbers} b
 * @param {Change} range
 * @param {number} run
 * @param {number} distinct how many numbers there are
 * @param {Change[]} stack gets the parts
 * @returns {Generator<undefined, boolean>} whether there was such a token
 */
function* splitAtAnchors(a, b, { a0, a1, b0, b1 }, run, distinct, stack) {
  let [here_a, here_b] = [a.subarray(a0, a1), b.subarray(b0, b1)];
  if (run > 1) {
    /** @type {Map<string, number>} */
    const known = new Map();
    const [all_a, all_b] = [here_a, here_b];
    here_a = yield* numbered(Math.max(0, a1 - a0 - run + 1), known, (at) => all_a.subarray(at, at + run).join());
    here_b = yield* numbered(Math.max(0, b1 - b0 - run + 1), known, (at) => all_b.subarray(at, at + run).join());
    distinct = known.size;
  }
  const place_a = onlyOnce(here_a, distinct);
  const place_b = onlyOnce(here_b, distinct);
  yield;
  /** @type {number[]} */
  const anchors = [];
  here_a.forEach((number, at) => {
    if (place_a[number] === at + 1 && /** @type {number} */ (place_b[number]) > 0) anchors.push(number);
  });
  const place = (/** @type {number} */ number) => /** @type {number} */ (place_b[number]);
  let [from_a, from_b] = [a0, b0];
  for (const number of longestIncreasing(anchors, place)) {
    const at_a = a0 + /** @type {number} */ (place_a[number]) - 1;
    const at_b = b0 + place(number) - 1;
    if (at_a > from_a || at_b > from_b) stack.push({ a0: from_a, a1: at_a, b0: from_b, b1: at_b });
    [from_a, from_b] = [at_a + 1, at_b + 1];
  }
  if (anchors.length) stack.push({ a0: from_a, a1, b0: from_b, b1 });
  return anchors.length > 0;
}

/** By number, one more than where it is; 0 when it is nowhere, -1 when it is there more than once. @param {Numbers} numbers @param {number} distinct */
function onlyOnce(numbers, distinct) {
  const places = new Int32Array(distinct);
  numbers.forEach((number, at) => {
    places[number] = places[number] ? -1 : at + 1;
  });
  return places;
}

/** Longest run of items, in their order, whose places grow. @param {number[]} items @param {(item: number) => number} place */
function longestIncreasing(items, place) {
  /** @type {number[]} ends of the best runs by length, as indices of items */
  const ends = [];
  const before = new Int32Array(items.length);
  items.forEach((item, index) => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (place(/** @type {number} */ (items[/** @type {number} */ (ends[middle])])) < place(item)) low = middle + 1;
      else high = middle;
    }
    before[index] = low ? /** @type {number} */ (ends[low - 1]) : -1;
    ends[low] = index;
  });
  const run = [];
  for (let index = ends.at(-1) ?? -1; index >= 0; index = before[index] ?? -1) {
    run.push(/** @type {number} */ (items[index]));
  }
  return run.reverse();
}

/** Compare what is short. @param {Numbers} a @param {Numbers} b @param {Change} range @param {Change[]} changes gets what is found */
function between(a, b, range, changes) {
  const { a0, a1, b0, b1 } = range;
  if (a0 === a1 || b0 === b1 || (a1 - a0 === 1 && b1 - b0 === 1)) return void changes.push(range);
  const width = b1 - b0 + 1;
  // Length of the longest common part of what begins at a pair of tokens.
  const common = new Uint16Array((a1 - a0 + 1) * width);
  const at = (/** @type {number} */ i, /** @type {number} */ j) => (i - a0) * width + j - b0;
  const length = (/** @type {number} */ i, /** @type {number} */ j) => common[at(i, j)] ?? 0;
  for (let i = a1 - 1; i >= a0; i--) {
    for (let j = b1 - 1; j >= b0; j--) {
      common[at(i, j)] = a[i] === b[j] ? 1 + length(i + 1, j + 1) : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  let [i, j] = [a0, b0];
  while (i < a1 || j < b1) {
    while (i < a1 && j < b1 && a[i] === b[j]) i++, j++;
    const [from_a, from_b] = [i, j];
    while ((i < a1 || j < b1) && !(i < a1 && j < b1 && a[i] === b[j])) {
      if (j === b1 || (i < a1 && length(i + 1, j) >= length(i, j + 1))) i++;
      else j++;
    }
    if (i > from_a || j > from_b) changes.push({ a0: from_a, a1: i, b0: from_b, b1: j });
  }
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
