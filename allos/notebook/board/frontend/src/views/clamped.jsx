/**
 * Long texts, folded: a box of so many lines and a button for the rest. What is in the box, and how the
 * two look, is written to the page directly, because it depends on sizes that the page has measured.
 *
 * @import { Compared } from "../diff/marker.js"
 * @import { CellState } from "../state.js"
 * @import { RefObject } from "preact"
 */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { AnswerText } from "../answer_text.js";
import { copy } from "../copy.js";
import { Clamp } from "../layout.js";
import { memo } from "../memo.js";
import { isEnded } from "../state.js";
import { toggleExpanded } from "../view_state.js";
import { useBoard, useLater } from "./context.js";

export const ANSWER_LINES = 14;
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
  const fit = () => {
    if (clamp.current) clamps.touch(Object.assign(clamp.current, now));
  };
  useLayoutEffect(fit);
  return /** @type {const} */ ([button, fit]);
}

/** @param {{buttonRef: RefObject<HTMLButtonElement | null>, id: string}} props */
function More({ buttonRef, id }) {
  const { change } = useBoard();
  const toggle = () => change((view) => toggleExpanded(view, id));
  return <button ref={buttonRef} class="more" hidden onClick={toggle} />;
}

/**
 * System text or prompt.
 * @type {import("preact").FunctionComponent<{id: string, text: string, isExpanded: boolean}>}
 */
export const Asked = memo(function Asked({ id, text, isExpanded }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [button] = useClamp(box, ASKED_LINES, { what: `all of the ${id}`, isExpanded, isFollowing: false });
  return (
    <div class="ask">
      <span class="who">{id}</span>
      <div>
        <div ref={box} class="words clamp" dir="auto">{text}</div>
        <More buttonRef={button} id={id} />
      </div>
    </div>
  );
});

/**
 * @typedef {object} AnswerProps
 * @property {CellState} cell
 * @property {string} name
 * @property {boolean} isExpanded
 * @property {Compared | null} compared
 * @property {readonly string[]} words what is looked for
 * @property {number} [lines]
 */

/**
 * The answer of a call, as far as it has come.
 * @type {import("preact").FunctionComponent<AnswerProps>}
 */
export const Answer = memo(function Answer({ cell, name, isExpanded, compared, words, lines = ANSWER_LINES }) {
  const { requestText, needSecond } = useBoard();
  const { second, said: missing } = useLater();
  const isMarked = compared !== null || words.length > 0;
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const text = useRef(/** @type {AnswerText | null} */ (null));
  const [said, say] = useState("");
  useLayoutEffect(() => {
    if (!box.current) return;
    text.current ??= new AnswerText(box.current);
    text.current.show(cell);
  }, [cell]);
  useEffect(() => {
    if (isMarked) needSecond();
  }, [isMarked]);
  useLayoutEffect(() => {
    if (!second || !box.current || !text.current) return;
    text.current.marker ??= new second.Marker(box.current, text.current);
    text.current.marker.mark(
      cell,
      compared,
      words,
      (added, gone) => say(compared ? differenceLabel(compared.unit, added, gone) : ""),
      refit,
    );
  }, [cell, compared, words, second]);
  useEffect(() => () => text.current?.close(), []);
  useEffect(() => {
    if (cell.is_deferred) requestText(cell.key);
  }, [cell.key, cell.is_deferred, cell.run]);
  const [button, refit] = useClamp(box, lines, {
    what: `the whole answer of ${name}`,
    isExpanded,
    isFollowing: !isEnded(cell),
  });
  return (
    <>
      <div ref={box} class="text clamp" dir="auto" />
      <More buttonRef={button} id={cell.key} />
      <span class="differs">{second || !isMarked ? said : missing}</span>
      {cell.source && (
        <button
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

/** @param {Compared["unit"]} unit @param {number} added @param {number} gone */
function differenceLabel(unit, added, gone) {
  const units = unit === "only" ? "words" : unit === "json" ? "lines" : unit;
  if (unit === "only") return added ? `${added} ${units} that no other has` : "nothing that no other has";
  if (!added && !gone) return "no difference";
  return `${added} ${units} new, ${gone} gone`;
}
