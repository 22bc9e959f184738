/**
 * Repeats of one call: those with the same answer are one, with their count.
 *
 * @import { CellState } from "../state.js"
 * @import { Group } from "../select.js"
 */

import { agreement } from "../select.js";
import { showSample } from "../view_state.js";
import { useBoard } from "./context.js";

/** Of equal answers to different prompts or by different models so many are named. */
const MAX_LABELS = 3;
/** Words that are looked at for the place where repeats part. */
const MAX_WORDS = 400;

/**
 * @param {{place: string, name: string, cells: readonly CellState[], groups: readonly Group[], shown: number}} props
 */
export function Repeats({ place, name, cells, groups, shown }) {
  const { change } = useBoard();
  const turn = (/** @type {number} */ step) => () => {
    const next = groups[(shown + step + groups.length) % groups.length];
    if (next) change((view) => showSample(view, place, next.cell.sample));
  };
  const group = groups[shown];
  const count = group?.count ?? 1;
  const labels = group ? [...group.labels].slice(0, MAX_LABELS).join(", ") : "";
  const parted = groups.length > 1 ? partedAfter(groups) : null;
  const words = parted === 1 ? "1 word" : `${parted} words`;
  return (
    <div class="rep" hidden={cells.length < 2 && !labels}>
      <span title={parted === null ? undefined : `They part after ${words}`}>
        {labels || agreement(cells, groups)}
        {parted ? <small>{`, alike for ${words}`}</small> : null}
      </span>
      {groups.length > 1 && (
        <span class="pager">
          <button class="turn" aria-label={`Previous repeat of ${name}`} onClick={turn(-1)}>
            ‹
          </button>
          <span title={count > 1 ? `${count} repeats say this` : undefined}>{`${shown + 1} / ${groups.length}`}</span>
          <button class="turn" aria-label={`Next repeat of ${name}`} onClick={turn(1)}>
            ›
          </button>
        </span>
      )}
    </div>
  );
}

/** How many words all answers begin with; null while texts are missing. @param {readonly Group[]} groups */
function partedAfter(groups) {
  const texts = groups.map(({ cell }) => cell.source);
  if (!texts.every(Boolean)) return null;
  const words = texts.map((text) => text.split(/\s+/, MAX_WORDS));
  const [first = []] = words;
  const at = first.findIndex((word, index) => words.some((others) => others[index] !== word));
  return at < 0 ? first.length : at;
}
