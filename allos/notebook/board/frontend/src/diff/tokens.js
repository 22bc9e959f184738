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
  for (const line of slices(text, "\n", Infinity)) {
    if (granularity === "line") yield line;
    else yield* inLine(line, granularity);
  }
}

/** Scripts that put no space between words. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmr}\p{scx=Mymr}]/u;
const WORD = /[\p{L}\p{N}\p{M}_]+(?:['’.][\p{L}\p{N}\p{M}_]+)*|[^\s\p{L}\p{N}_]/gu;
/** A segmenter looks at all that it is given before it tells the first piece. */
const MAX_SEGMENTED = 1000;

/** A segmenter costs ten times as much as a pattern, where that will do. @param {{segment: string, index: number}} line @param {"word" | "sentence"} granularity */
function* inLine(line, granularity) {
  if (granularity === "word" && !UNSPACED.test(line.segment)) {
    for (const match of line.segment.matchAll(WORD)) yield { segment: match[0], index: line.index + match.index };
    return;
  }
  segmenters[granularity] ??= new Intl.Segmenter(undefined, { granularity });
  for (const part of slices(line.segment, "", MAX_SEGMENTED)) {
    for (const { segment, index } of segmenters[granularity].segment(part.segment)) {
      yield { segment, index: line.index + part.index + index };
    }
  }
}

/** Parts of a text: behind each `end`, or of at most so many characters, behind a full stop or a blank. @param {string} text @param {string} end @param {number} most */
function* slices(text, end, most) {
  for (let index = 0; index < text.length; ) {
    let cut = (end && text.indexOf(end, index) + 1) || text.length;
    if (cut - index > most) {
      const head = text.slice(index, index + most);
      const stop = Math.max(head.lastIndexOf(". "), head.lastIndexOf("。")) + 1;
      cut = index + (stop || head.lastIndexOf(" ") + 1 || most);
    }
    yield { segment: text.slice(index, cut), index };
    index = cut;
  }
}
