/**
 * Links to one answer: what stands behind `#`. They name it by letter and row, as the static table does, so that
 * one link holds for the live board, the saved notebook and an exported page. Pure.
 *
 * @import { BoardState } from "./state.js"
 */

/** @param {Pick<BoardState, "table_class">} state */
const prefixOf = ({ table_class }) => `${table_class || "allos"}-`;

/** @param {Pick<BoardState, "table_class" | "columns">} state @param {string} column @param {string} row */
export function linkTo(state, column, row) {
  const letter = state.columns.find(({ key }) => key === column)?.letter.toLowerCase();
  return `#${prefixOf(state)}${letter}${Number(row) + 1}`;
}

/**
 * Column and row of the answer that a link names; null where it names none of this board.
 * @param {Pick<BoardState, "table_class" | "columns" | "rows">} state
 * @param {string} link
 */
export function linked(state, link) {
  const start = `#${prefixOf(state)}`;
  const [, letter, row] = /^([a-z]+)(\d+)$/.exec(link.startsWith(start) ? link.slice(start.length) : "") ?? [];
  const column = state.columns.find((each) => each.letter.toLowerCase() === letter);
  const asked = state.rows.find(({ key }) => Number(key) + 1 === Number(row));
  return column && asked ? { column: column.key, row: asked.key } : null;
}
