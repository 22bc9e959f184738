/**
 * Long texts, folded: a box of so many lines and a button for the rest. What is in the box, and how the
 * two look, is written to the page directly, because it depends on sizes that the page has measured.
 *
 * @import { CellState } from "../state.js"
 * @import { RefObject } from "preact"
 */

import { useLayoutEffect, useRef } from "preact/hooks";

import { AnswerText } from "../answer_text.js";
import { copy } from "../copy.js";
import { Clamp } from "../layout.js";
import { memo } from "../memo.js";
import { isEnded } from "../state.js";
import { useBoard } from "./context.js";

const ANSWER_LINES = 14;
const ASKED_LINES = 3;

/**
 * A clamp that lives as long as the component.
 * @param {RefObject<HTMLDivElement | null>} box
 * @param {number} lines
 * @param {{what: string, isExpanded: boolean, isFollowing: boolean}} now
 */
function useClamp(box, lines, now) {
  const { clamps } = useBoard();
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const clamp = useRef(/** @type {Clamp | null} */ (null));
  useLayoutEffect(() => {
    if (!box.current || !button.current) return;
    const here = new Clamp(box.current, button.current, lines);
    clamp.current = here;
    // An image has a size once it is loaded. The event does not bubble; the box goes with its listener.
    box.current.addEventListener("load", () => clamps.touch(here), true);
    return clamps.add(here);
  }, []);
  useLayoutEffect(() => {
    if (clamp.current) clamps.touch(Object.assign(clamp.current, now));
  });
  return button;
}

/** @param {{buttonRef: RefObject<HTMLButtonElement | null>, id: string}} props */
function More({ buttonRef, id }) {
  const { toggleExpanded } = useBoard();
  return <button ref={buttonRef} type="button" class="more" hidden onClick={() => toggleExpanded(id)} />;
}

/**
 * System text or prompt.
 * @type {import("preact").FunctionComponent<{id: string, text: string, isExpanded: boolean}>}
 */
export const Asked = memo(function Asked({ id, text, isExpanded }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const button = useClamp(box, ASKED_LINES, { what: `all of the ${id}`, isExpanded, isFollowing: false });
  return (
    <div class="ask">
      <span class="who">{id}</span>
      <div>
        <div ref={box} class="words clamp">{text}</div>
        <More buttonRef={button} id={id} />
      </div>
    </div>
  );
});

/**
 * The answer of a call, as far as it has come.
 * @type {import("preact").FunctionComponent<{cell: CellState, name: string, isExpanded: boolean}>}
 */
export const Answer = memo(function Answer({ cell, name, isExpanded }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const text = useRef(/** @type {AnswerText | null} */ (null));
  useLayoutEffect(() => {
    if (!box.current) return;
    text.current ??= new AnswerText(box.current);
    text.current.show(cell);
  }, [cell]);
  const button = useClamp(box, ANSWER_LINES, {
    what: `the whole answer of ${name}`,
    isExpanded,
    isFollowing: !isEnded(cell),
  });
  return (
    <>
      <div ref={box} class="text clamp" />
      <More buttonRef={button} id={cell.key} />
      {cell.source && (
        <button
          type="button"
          class="btn quiet copy"
          aria-label={`Copy the answer of ${name}`}
          title="Copy the answer as Markdown"
          onClick={(event) => copy(event.currentTarget, cell.source)}
        >
          Copy
        </button>
      )}
    </>
  );
});
