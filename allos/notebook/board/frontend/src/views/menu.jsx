/**
 * What can be done with a column. A list of the browser's own: no part of the page cuts it off, and it has
 * its keys already.
 *
 * @import { Column } from "../protocol.js"
 * @import { ViewState } from "../view_state.js"
 */

import { toClipboard } from "../copy.js";
import { nameOf } from "../format.js";
import { memo } from "../memo.js";
import { focusOn, hideColumn, moveColumn, togglePinned } from "../view_state.js";
import { useBoard } from "./context.js";
import { useColumns } from "./shown.js";

/** @type {import("preact").FunctionComponent<{column: Column, row?: string | null}>} */
export const Menu = memo(function Menu({ column, row = null }) {
  const { change } = useBoard();
  const { keys, isPinned, link } = useColumns();
  const { key } = column;
  const at = keys.indexOf(key);
  /** @type {[string, (view: ViewState) => ViewState, boolean?][]} */
  const items = [
    ["Show alone", (view) => focusOn(view, key, row)],
    ["Compare against it", (view) => ({ ...view, diff: { unit: view.unit, base: key } })],
    [isPinned(key) ? "Unpin" : "Pin to the front", (view) => togglePinned(view, key)],
    ["Move left", (view) => moveColumn(view, keys, key, -1), at === 0],
    ["Move right", (view) => moveColumn(view, keys, key, 1), at === keys.length - 1],
    ["Hide", (view) => hideColumn(view, key), keys.length === 1],
  ];
  return (
    <select
      class="menu"
      aria-label={`More for ${nameOf(column)}`}
      title="More"
      value=""
      onChange={({ currentTarget }) => {
        const item = items[Number(currentTarget.value)];
        if (currentTarget.value === LINK && row !== null) copyLink(currentTarget, link(key, row));
        currentTarget.value = "";
        if (item) change(item[1]);
      }}
    >
      <option value="" hidden>⋯</option>
      {items.map(([label, , isOff], index) => <option value={index} disabled={isOff}>{label}</option>)}
      {row !== null && <option value={LINK}>Copy a link to it</option>}
    </select>
  );
});

const LINK = "link";
const SAYS_MS = 1500;

/**
 * Copy a link to an answer; of a page of its own with the page's address. The sign of the menu says whether it worked.
 * @param {HTMLSelectElement} menu
 * @param {string} link
 */
async function copyLink(menu, link) {
  const sign = menu.options[0];
  const isCopied = await toClipboard(link.startsWith("#allos-cmp") ? link : location.href.split("#")[0] + link);
  if (!sign) return;
  sign.textContent = isCopied ? "✓" : "✗";
  setTimeout(() => (sign.textContent = "⋯"), SAYS_MS);
}
