/**
 * Which columns a view shows, for the parts that move them.
 *
 * @typedef {object} ShownColumns
 * @property {readonly string[]} keys
 * @property {(key: string) => boolean} isPinned
 * @property {(key: string, row: string) => string} link to an answer of a column
 */

import { createContext } from "preact";
import { useContext } from "preact/hooks";

export const ColumnsContext = createContext(/** @type {ShownColumns} */ ({ keys: [], isPinned: () => false, link: () => "" }));

export const useColumns = () => useContext(ColumnsContext);
