/**
 * The line below all answers.
 *
 * @import { BoardState } from "../state.js"
 * @import { FunctionComponent } from "preact"
 */

import { copy } from "../copy.js";
import { memo } from "../memo.js";

/** @type {FunctionComponent<{summary: BoardState["summary"], logged_as: string, can_run: boolean}>} */
export const Sums = memo(function Sums({ summary, logged_as, can_run }) {
  return (
    <div class="sum">
      {summary.map(([before, value, after, hint]) => (
        <span title={hint || undefined} class={hint ? "why" : undefined}>
          {before && `${before} `}<b>{value}</b>{after && ` ${after}`}
        </span>
      ))}
      <span class="logged">{logged_as ? <Id id={logged_as} /> : can_run ? "not logged" : "from the log"}</span>
    </div>
  );
});

/** @param {{id: string}} props */
function Id({ id }) {
  return (
    <>
      <code class="id">{id}</code>
      <button
        class="btn quiet copy"
        aria-label="Copy the id of this comparison"
        onClick={(event) => copy(event.currentTarget, id)}
      >
        Copy
      </button>
    </>
  );
}
