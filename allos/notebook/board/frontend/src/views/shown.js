/**
 * Which columns a view shows, for the parts that move them.
 *
 * @typedef {{keys: readonly string[], isPinned: (key: string) => boolean}} ShownColumns
 */

import { createContext } from "preact";
import { useContext } from "preact/hooks";

export const ColumnsContext = createContext(/** @type {ShownColumns} */ ({ keys: [], isPinned: () => false }));

export const useColumns = () => useContext(ColumnsContext);
