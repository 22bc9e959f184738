/**
 * Where a prompt names columns. Nothing is evaluated; the kernel has the last word on what is missing.
 *
 * @typedef {"" | "known" | "unknown" | "idle"} PieceKind
 * @typedef {{text: string, kind: PieceKind}} Piece
 */

/** Longer texts are shown without marks: nobody reads them here, and each mark is an element. */
const MAX_CHARS = 100_000;

/**
 * @param {string} text
 * @param {readonly string[] | null} columns null: there is no data
 * @returns {Piece[]} joined they are the text
 */
export function piecesOf(text, columns) {
  if (text.length > MAX_CHARS) return [{ text, kind: "" }];
  const known = columns && new Set(columns);
  /** @type {Piece[]} */
  const pieces = [];
  let at = 0;
  const add = (/** @type {number} */ end, /** @type {PieceKind} */ kind) => {
    if (end > at) pieces.push({ text: text.slice(at, end), kind });
    at = end;
  };
  for (;;) {
    const open = text.indexOf("{{", at);
    if (open < 0) break;
    if (text[open - 1] === "\\" && open > 0) {
      add(open + 2, "");
      continue;
    }
    const end = text.indexOf("}}", open + 2);
    if (end < 0) break;
    add(open, "");
    const name = text.slice(open + 2, end).trim();
    add(end + 2, !known ? "idle" : known.has(name) ? "known" : "unknown");
  }
  add(text.length, "");
  return pieces;
}
