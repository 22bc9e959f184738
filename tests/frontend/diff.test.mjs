/** What differs between two texts, and that no text makes it slow. */

import assert from "node:assert/strict";
import test from "node:test";

import { diffTokens, onlyHere } from "../../allos/notebook/board/frontend/src/diff/diff.js";
import { canonicalJson } from "../../allos/notebook/board/frontend/src/diff/json.js";
import { inSlices } from "../../allos/notebook/board/frontend/src/diff/slices.js";
import { tokenize } from "../../allos/notebook/board/frontend/src/diff/tokens.js";

/** @import { Granularity, Token } from "../../allos/notebook/board/frontend/src/diff/tokens.js" */

/**
 * @template T
 * @param {Generator<undefined, T>} work
 * @returns {{value: T, steps: number}}
 */
function finish(work) {
  for (let steps = 0; ; steps++) {
    const { done, value } = work.next();
    if (done) return { value, steps };
  }
}

/** @param {string} text @param {Granularity} [granularity] */
const cut = (text, granularity = "word") => finish(tokenize(text, granularity)).value;

/** @param {string} text @param {Granularity} [granularity] */
const words = (text, granularity) => cut(text, granularity).map(({ key }) => key);

/** @param {readonly Token[]} tokens @param {number} from @param {number} to */
const run = (tokens, from, to) => tokens.slice(from, to).map(({ key }) => key).join(" ");

/** What is gone and what is new, run by run. @param {string} a @param {string} b @param {Granularity} [granularity] */
function changes(a, b, granularity = "word") {
  const [from, to] = [cut(a, granularity), cut(b, granularity)];
  return finish(diffTokens(from, to)).value.map(
    ({ a0, a1, b0, b1 }) => `${run(from, a0, a1)} > ${run(to, b0, b1)}`,
  );
}

test("words are those of the language", () => {
  assert.deepEqual(words("It's  3.5 m, über-all."), ["It's", "3.5", "m", ",", "über", "-", "all", "."]);
  assert.deepEqual(words("重力是引力。"), ["重力", "是", "引力", "。"]);
  assert.deepEqual(words("أين طلبي؟"), ["أين", "طلبي", "؟"]);
  assert.deepEqual(words("e\u0301te\u0301 👍🏽"), ["e\u0301te\u0301", "👍", "🏽"]);
  assert.equal(words("ขอบคุณมาก").length, 2);
});

test("a token knows where it stands", () => {
  const text = "One  two.\n Drei 重力";
  for (const granularity of /** @type {const} */ (["word", "sentence", "line"])) {
    for (const { key, start, end } of cut(text, granularity)) {
      assert.equal(text.slice(start, end).replace(/\s+/g, " "), key);
    }
  }
});

test("sentences and lines", () => {
  assert.deepEqual(words("It falls. Why? Because.", "sentence"), ["It falls.", "Why?", "Because."]);
  assert.deepEqual(words("a\n\n  b c\n", "line"), ["a", "b c"]);
});

test("what is gone stands before what is new", () => {
  assert.deepEqual(changes("the cat sat", "the dog sat"), ["cat > dog"]);
  assert.deepEqual(changes("a b", "a b c"), [" > c"]);
  assert.deepEqual(changes("a b c", "a c"), ["b > "]);
  assert.deepEqual(changes("same  words", "same words"), []);
  assert.deepEqual(changes("", "all new"), [" > all new"]);
  assert.deepEqual(changes("重力是引力。", "重力是推力。"), ["引力 > 推力"]);
  assert.deepEqual(changes("It falls. It stops.", "It falls. It flies.", "sentence"), [
    "It stops. > It flies.",
  ]);
});

/** Pseudo-random numbers, the same each time. @param {number} seed */
function* numbers(seed) {
  for (let value = seed; ; ) yield (value = (value * 16807) % 2147483647) / 2147483647;
}

/** @param {number} count @param {number} vocabulary @param {number} seed */
function prose(count, vocabulary, seed) {
  const random = numbers(seed);
  return Array.from({ length: count }, () => `w${Math.floor((random.next().value ?? 0) * vocabulary)}`);
}

test("changes turn the one text into the other, also in long ones", () => {
  for (const [count, vocabulary] of /** @type {const} */ ([[50, 8], [600, 30], [3000, 900], [3000, 4]])) {
    const a = prose(count, vocabulary, 7);
    const b = a.flatMap((word, at) => (at % 17 ? [word] : at % 2 ? [] : ["new", word]));
    const [from, to] = [cut(a.join(" ")), cut(b.join(" "))];
    const found = finish(diffTokens(from, to)).value;
    const built = [];
    let at = 0;
    for (const { a0, a1, b0, b1 } of found) {
      built.push(...from.slice(at, a0), ...to.slice(b0, b1));
      at = a1;
    }
    built.push(...from.slice(at));

    assert.deepEqual(built.map(({ key }) => key), b);
  }
});

test("a change in a long text is found where it is", () => {
  const a = prose(4000, 60, 3);
  const b = a.with(2000, "HERE");

  assert.deepEqual(changes(a.join(" "), b.join(" ")), [`${a[2000]} > HERE`]);
});

test("hostile texts are cut and compared in many small steps", () => {
  /** @type {[string, string][]} */
  const pairs = [
    ["a b ".repeat(25_000), "b a ".repeat(25_000)],
    ["x".repeat(100_000), "y".repeat(100_000)],
    [" ".repeat(100_000), "\n".repeat(100_000)],
    ["(".repeat(100_000), ")".repeat(100_000)],
    ["重".repeat(20_000), "力".repeat(20_000)],
  ];
  for (const [a, b] of pairs) {
    const [from, to] = [finish(tokenize(a, "word")), finish(tokenize(b, "word"))];
    const { value, steps } = finish(diffTokens(from.value, to.value));
    const tokens = from.value.length + to.value.length;

    assert.ok(value.length <= 2);
    // A step looks at a few thousand tokens at most.
    assert.ok(from.steps + to.steps + steps >= Math.floor(tokens / 4000));
  }
});

test("what only one says", () => {
  const others = [cut("It is a hug"), cut("It pulls")];
  const tokens = cut("It is a Trampoline, it BENDS space");
  const found = finish(onlyHere(tokens, others)).value;

  assert.deepEqual(found.map(({ b0, b1 }) => run(tokens, b0, b1)), ["Trampoline ,", "BENDS space"]);
  assert.deepEqual(finish(onlyHere(cut("it IS"), others)).value, []);
});

test("JSON is compared by what it says", () => {
  assert.equal(canonicalJson('{"b": 1, "a": [2]}'), canonicalJson('```json\n{"a":[2],\n"b":1}\n```'));
  assert.deepEqual(
    [canonicalJson("Hello"), canonicalJson("{no"), canonicalJson("7")],
    [null, null, null],
  );
});

test("work in slices gives way, and is given up when nobody wants it", async () => {
  function* work() {
    for (let at = 0; at < 3; at++) yield;
    return "done";
  }

  assert.equal(await inSlices(work(), () => false), "done");
  assert.equal(await inSlices(work(), () => true), null);
});

test("works that come together are done one after the other, and share their slices", async () => {
  /** @type {string[]} */
  const done = [];
  /** @param {string} name */
  function* work(name) {
    yield;
    done.push(name);
    return name;
  }
  function* broken() {
    yield;
    throw new Error("broken");
  }

  const all = [inSlices(work("a"), () => false), inSlices(broken(), () => false), inSlices(work("b"), () => false)];
  assert.equal((await Promise.allSettled(all))[1]?.status, "rejected");
  assert.deepEqual(done, ["a", "b"]);
});
