/**
 * Texts cut into what is compared: words, sentences, lines. Words are those of the language: Chinese and
 * Thai have no spaces between them, and accents are part of a letter.
 *
 * @typedef {object} Token
 * @property {string} key what is compared
 * @property {number} start in the text, in UTF-16 units
 * @property {number} end
 *
 * @typedef {"word" | "sentence" | "line"} Granularity
 */

/** So many tokens are cut before others get their turn. */
const SLICE = 500;

/** @type {Record<string, Intl.Segmenter>} */
const segmenters = {};

/**
 * Tokens of a text; blanks are none. A generator, so that a long text can be cut in slices of time.
 * @param {string} text
 * @param {Granularity} granularity
 * @returns {Generator<undefined, Token[]>}
 */
export function* tokenize(text, granularity) {
  /** @type {Token[]} */
  const tokens = [];
  let count = 0;
  for (const { segment, index } of segments(text, granularity)) {
    if (++count % SLICE === 0) yield;
    const key = segment.trim();
    if (!key) continue;
    const start = index + segment.indexOf(key);
    tokens.push({ key: key.replace(/\s+/g, " "), start, end: start + key.length });
  }
  return tokens;
}

/** @param {string} text @param {Granularity} granularity */
function* segments(text, granularity) {
  for (const line of lines(text)) {
    if (granularity === "line") {
      yield line;
      continue;
    }
    for (const { segment, index } of pieces(line.segment, granularity)) {
      yield { segment, index: line.index + index };
    }
  }
}

/** Scripts that put no space between words. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmr}\p{scx=Mymr}]/u;
const WORD = /[\p{L}\p{N}\p{M}_]+(?:['’.][\p{L}\p{N}\p{M}_]+)*|[^\s\p{L}\p{N}_]/gu;

/** Pieces of a line. A segmenter costs ten times as much as a pattern, where that will do. @param {string} line @param {"word" | "sentence"} granularity */
function* pieces(line, granularity) {
  if (granularity === "word" && !UNSPACED.test(line)) {
    for (const match of line.matchAll(WORD)) yield { segment: match[0], index: match.index };
    return;
  }
  segmenters[granularity] ??= new Intl.Segmenter(undefined, { granularity });
  yield* segmenters[granularity].segment(line);
}

/** Longer lines are cut: what looks at a line looks at all of it. */
const MAX_LINE = 2000;

/** @param {string} text */
function* lines(text) {
  let index = 0;
  while (index < text.length) {
    const end = text.indexOf("\n", index) + 1 || text.length;
    const cut = Math.min(end, index + MAX_LINE);
    yield { segment: text.slice(index, cut), index };
    index = cut;
  }
}
