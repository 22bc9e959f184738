/**
 * The text of an element as it is read, and where each part of it stands: what is compared are the words on
 * the screen, not the Markdown that they were made of.
 *
 * @typedef {object} Piece
 * @property {Text | Element} node a text node, or a formula, which is compared as a whole
 * @property {number} start of its text in the whole text
 * @property {number} end
 */

const BLOCKS = "p,li,tr,td,th,pre,h1,h2,h3,h4,h5,h6,blockquote,table,ul,ol,div,summary";
/** The board's own words. */
const OWN = "button,style,del.gone";

/**
 * @param {Node} root
 * @returns {{text: string, pieces: Piece[]}}
 */
export function textOf(root) {
  /** @type {Piece[]} */
  const pieces = [];
  let text = "";
  const add = (/** @type {Text | Element} */ node, /** @type {string} */ words) => {
    pieces.push({ node, start: text.length, end: text.length + words.length });
    text += words;
  };
  /** @param {Node} parent */
  const walk = (parent) => {
    for (let node = parent.firstChild; node; node = node.nextSibling) {
      if (node instanceof Text) {
        add(node, node.data);
      } else if (node instanceof Element && !node.matches(OWN)) {
        if (node.localName === "math") add(node, ` ${mathText(node)} `);
        else walk(node);
        if (node.matches(BLOCKS) && !text.endsWith("\n")) text += "\n";
      }
    }
  };
  walk(root);
  return { text, pieces };
}

/** @param {Element} math */
const mathText = (math) =>
  (math.querySelector("annotation")?.textContent ?? math.textContent ?? "").replace(/\s+/g, "");

/**
 * Ranges of a run of text, one for each piece that it touches. They do not follow what becomes of the page,
 * which for thousands of them makes each change of it slow.
 * @param {readonly Piece[]} pieces
 * @param {number} start
 * @param {number} end
 * @returns {StaticRange[]}
 */
export function rangesOf(pieces, start, end) {
  const ranges = [];
  for (let at = firstAt(pieces, start); at < pieces.length; at++) {
    const piece = /** @type {Piece} */ (pieces[at]);
    if (piece.start >= end) break;
    const { node } = piece;
    const isText = node instanceof Text;
    ranges.push(
      new StaticRange({
        startContainer: node,
        startOffset: isText ? Math.max(0, start - piece.start) : 0,
        endContainer: node,
        endOffset: isText ? Math.min(piece.end, end) - piece.start : node.childNodes.length,
      }),
    );
  }
  return ranges;
}

/** The first piece that ends behind a position. @param {readonly Piece[]} pieces @param {number} position */
export function firstAt(pieces, position) {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {Piece} */ (pieces[middle]).end <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}
