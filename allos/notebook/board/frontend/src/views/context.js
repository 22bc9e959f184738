/**
 * What the parts of one view share.
 *
 * @import { Action } from "../protocol.js"
 * @import { Second } from "../later.js"
 * @import { Clamps } from "../layout.js"
 * @import { ViewState } from "../view_state.js"
 *
 * @typedef {object} BoardActions
 * @property {(action: Action) => void} send tells the kernel
 * @property {boolean} isEditable whether there is room for a playground below
 * @property {(failed?: boolean) => void} runAgain asks every model again, or only where it failed
 * @property {(cell: string) => void} press presses the button of a cell
 * @property {(key: string) => void} requestText asks for the text of a cell
 * @property {(change: (view: ViewState) => ViewState) => void} change changes what a person has chosen
 * @property {(text: string) => void} search looks for something
 * @property {(cell: string, rating: number) => void} rate rates an answer
 * @property {{onKey: ((key: string) => boolean) | null}} taken who hears keys before the board does
 * @property {() => void} needSecond asks for the second script, once
 * @property {Clamps} clamps
 *
 * @typedef {object} LaterState
 * @property {Second | null} second
 * @property {string} said why it is not here
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

export const LaterContext = createContext(/** @type {LaterState} */ ({ second: null, said: "" }));

/** The second script, once it is here. */
export const useLater = () => useContext(LaterContext);
