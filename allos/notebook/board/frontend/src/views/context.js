/**
 * What the parts of one view share.
 *
 * @import { Action } from "../protocol.js"
 * @import { Clamps } from "../layout.js"
 * @import { ViewState } from "../view_state.js"
 *
 * @typedef {object} BoardActions
 * @property {(action: Action) => void} send tells the kernel
 * @property {(failed?: boolean) => void} runAgain asks every model again, or only where it failed
 * @property {(cell: string) => void} press presses the button of a cell
 * @property {(key: string) => void} requestText asks for the text of a cell
 * @property {(change: (view: ViewState) => ViewState) => void} change changes what a person has chosen
 * @property {(text: string) => void} search looks for something
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
