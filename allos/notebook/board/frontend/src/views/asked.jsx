/**
 * What was asked: the prompt of the whole board, or that of the row that is shown.
 *
 * @import { Row } from "../protocol.js"
 * @import { BoardState } from "../state.js"
 * @import { ViewState } from "../view_state.js"
 */

import { useLayoutEffect, useRef } from "preact/hooks";

import { showMarkup } from "../answer_text.js";
import { PROMPT, SYSTEM } from "../view_state.js";
import { Asked } from "./clamped.jsx";
import { useBoard } from "./context.js";

/** @param {{state: BoardState, view: ViewState, rows: readonly Row[], row: Row | null}} props */
export function Head({ state, view, rows, row }) {
  const { system, chips, prompt_html } = state;
  const prompt = row?.prompt || state.prompt;
  if (!system && !prompt && !prompt_html && !chips.length) return null;
  return (
    <div class="head">
      <div class="asks">
        {system && <Asked id={SYSTEM} text={system} isExpanded={view.expanded.has(SYSTEM)} />}
        {prompt && <Asked id={PROMPT} text={prompt} isExpanded={view.expanded.has(PROMPT)} />}
        {prompt_html && <Sent html={prompt_html} />}
      </div>
      <div class="chips">
        {row && rows.length > 1 && <RowPager rows={rows} row={row} />}
        {chips.map((chip) => <span class="chip">{chip}</span>)}
      </div>
    </div>
  );
}

/** @param {{rows: readonly Row[], row: Row}} props */
function RowPager({ rows, row }) {
  const { change } = useBoard();
  const at = rows.indexOf(row);
  const turn = (/** @type {number} */ step) => () => {
    const next = rows[(at + step + rows.length) % rows.length];
    if (next) change((view) => ({ ...view, row: next.key }));
  };
  return (
    <span class="chip pager">
      <button class="turn" aria-label="Previous prompt" onClick={turn(-1)}>‹</button>
      <span>{`row ${at + 1} of ${rows.length}`}</span>
      <button class="turn" aria-label="Next prompt" onClick={turn(1)}>›</button>
    </span>
  );
}

/** Images and files of the prompt. @param {{html: string}} props */
function Sent({ html }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  useLayoutEffect(() => {
    if (box.current) showMarkup(box.current, html);
  }, [html]);
  return <div ref={box} class="allos-sent allos-out" />;
}
