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
/** Scripts that put no space between words. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmr}\p{scx=Mymr}]/u;
/** All but blanks is a part of one. */
const WORD = /[\p{L}\p{N}\p{M}_]+(?:['’.][\p{L}\p{N}\p{M}_]+)*|[^\s\p{L}\p{N}_]/gu;
/** A segmenter looks at all that it is given before it tells the first piece. */
const MAX_SEGMENTED = 1000;

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
  const word = new RegExp(WORD); // others use theirs in between
  let from = 0;
  let count = 0;
  /** The next token ends there. @param {number} end */
  const add = (end) => {
    const segment = text.slice(from, end);
    const key = segment.trim();
    if (key) {
      const start = from + segment.indexOf(key);
      tokens.push({ key: granularity === "word" ? key : key.replace(/\s+/g, " "), start, end: start + key.length });
    }
    from = end;
    return ++count % SLICE === 0;
  };
  for (const { segment: line, index } of slices(text, "\n", Infinity)) {
    if (granularity === "line") {
      if (add(index + line.length)) yield;
    } else if (granularity === "word" && !UNSPACED.test(line)) {
      // A segmenter costs ten times as much; the place alone, and no match, is half of one.
      for (word.lastIndex = 0; word.test(line); ) if (add(index + word.lastIndex)) yield;
    } else {
      segmenters[granularity] ??= new Intl.Segmenter(undefined, { granularity });
      for (const part of slices(line, "", MAX_SEGMENTED)) {
        for (const { segment, index: at } of segmenters[granularity].segment(part.segment)) {
          if (add(index + part.index + at + segment.length)) yield;
        }
      }
    }
  }
  return tokens;
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
