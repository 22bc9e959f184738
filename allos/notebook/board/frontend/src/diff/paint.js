/**
 * Paints what is new and what was found over an answer, with the CSS Custom Highlight API: the answer's own
 * elements stay as the kernel has made them. What is gone stands between them, as text.
 *
 * @import { Change } from "./diff.js"
 * @import { Token } from "./tokens.js"
 * @import { Piece } from "./text_of.js"
 */

import { firstAt, rangesOf, textOf } from "./text_of.js";

const MAX_GONE_CHARS = 600;
/** A page with more marks than this is slow and tells nobody anything. */
const MAX_MARKS = 2000;

/** Browsers without highlights show what is gone alone. @param {string} name @returns {Highlight | undefined} */
function highlight(name) {
  if (!globalThis.CSS?.highlights) return undefined;
  let known = CSS.highlights.get(name);
  if (!known) CSS.highlights.set(name, (known = new Highlight()));
  return known;
}

/** Ranges that one answer has put into one highlight of the page. */
export class Marks {
  #name;
  /** @type {StaticRange[]} */
  #ranges = [];

  /** @param {"allos-new" | "allos-found"} name */
  constructor(name) {
    this.#name = name;
  }

  clear() {
    const all = highlight(this.#name);
    for (const range of this.#ranges) all?.delete(range);
    this.#ranges = [];
  }

  /** @param {StaticRange[]} ranges */
  add(ranges) {
    const all = highlight(this.#name);
    for (const range of ranges) {
      if (this.#ranges.length >= MAX_MARKS) return;
      all?.add(range);
      this.#ranges.push(range);
    }
  }
}

/**
 * Put what is gone into an answer, and tell where something is new.
 * @param {Node} root the answer
 * @param {readonly Token[]} tokens of the answer
 * @param {readonly Change[]} changes
 * @param {{text: string, tokens: readonly Token[]} | null} base what is gone was a part of it
 * @returns {StaticRange[]}
 */
export function markChanges(root, tokens, changes, base) {
  const { pieces } = textOf(root);
  if (base) insertAllGone(pieces, tokens, changes, base);
  // Read again: texts were split, and what is gone is not a part of the answer.
  const now = base ? textOf(root).pieces : pieces;
  return changes.slice(0, MAX_MARKS).flatMap(({ b0, b1 }) => {
    if (b0 === b1) return [];
    return rangesOf(now, /** @type {Token} */ (tokens[b0]).start, /** @type {Token} */ (tokens[b1 - 1]).end);
  });
}

/**
 * @param {readonly Piece[]} pieces
 * @param {readonly Token[]} tokens
 * @param {readonly Change[]} changes
 * @param {{text: string, tokens: readonly Token[]}} base
 */
function insertAllGone(pieces, tokens, changes, base) {
  // From the end, so that a position holds until it is used.
  for (const { a0, a1, b0, b1 } of changes.slice(0, MAX_MARKS).reverse()) {
    if (a0 === a1) continue;
    const from = /** @type {Token} */ (base.tokens[a0]).start;
    const to = /** @type {Token} */ (base.tokens[a1 - 1]).end;
    insertGone(pieces, b0 < tokens.length ? tokens[b0] : undefined, tokens[b0 - 1], base.text.slice(from, to), b0 < b1);
  }
}

/**
 * @param {readonly Piece[]} pieces
 * @param {Token | undefined} next the token that it stands in front of
 * @param {Token | undefined} last the token that it stands behind, where there is no next one
 * @param {string} words
 * @param {boolean} isReplaced whether something new stands there
 */
function insertGone(pieces, next, last, words, isReplaced) {
  const element = document.createElement("del");
  const text = words.replace(/\s+/g, " ");
  element.textContent = text.length > MAX_GONE_CHARS ? `${text.slice(0, MAX_GONE_CHARS)} …` : text;
  // Behind the last token where nothing is new: the end of a paragraph, not the beginning of the next.
  const isBehind = last !== undefined && (next === undefined || !isReplaced);
  element.className = isBehind ? "gone behind" : "gone";
  const position = isBehind ? last.end : (next?.start ?? 0);
  const piece = pieces[Math.min(firstAt(pieces, isBehind ? position - 1 : position), pieces.length - 1)];
  if (!piece) return;
  if (!(piece.node instanceof Text)) {
    if (isBehind) piece.node.after(element);
    else piece.node.before(element);
    return;
  }
  const at = Math.min(Math.max(0, position - piece.start), piece.node.length);
  // The nodes of a text that is split keep their ranges; the piece keeps its beginning.
  const rest = piece.node.splitText(at);
  rest.before(element);
}

/** Paint what was searched for. @param {Marks} marks @param {Node} root @param {readonly string[]} words in lower case */
export function paintFound(marks, root, words) {
  const { text, pieces } = textOf(root);
  const lower = text.toLowerCase();
  if (lower.length !== text.length) return; // letters whose lower case is longer: positions do not hold
  for (const word of words) {
    for (let at = lower.indexOf(word); at >= 0; at = lower.indexOf(word, at + word.length)) {
      marks.add(rangesOf(pieces, at, at + word.length));
    }
  }
}
