/**
 * What the parts of one view share.
 *
 * @import { Action } from "../protocol.js"
 * @import { Clamps } from "../layout.js"
 *
 * @typedef {object} BoardActions
 * @property {(action: Action) => void} send tells the kernel
 * @property {() => void} runAgain asks every model again
 * @property {(cell: string) => void} press presses the button of a cell
 * @property {(key: string) => void} toggleExpanded shows a long text whole, or not
 * @property {(column: string, sample: number) => void} showSample turns to a repeat
 * @property {Clamps} clamps
 */

import { createContext } from "preact";
import { useContext } from "preact/hooks";

export const BoardContext = createContext(/** @type {BoardActions | null} */ (null));

/** @returns {BoardActions} */
export function useBoard() {
  const actions = useContext(BoardContext);
  if (!actions) throw new Error("a part of the board stands outside of it");
  return actions;
}
