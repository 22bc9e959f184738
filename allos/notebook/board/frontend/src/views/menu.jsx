/**
 * What can be done with a column. A list of the browser's own: no part of the page cuts it off, and it has
 * its keys already.
 *
 * @import { Column } from "../protocol.js"
 * @import { ViewState } from "../view_state.js"
 */

import { memo } from "../memo.js";
import { focusOn, hideColumn, moveColumn, togglePinned } from "../view_state.js";
import { nameOf } from "./column.jsx";
import { useBoard } from "./context.js";
import { useColumns } from "./shown.js";

/** @type {import("preact").FunctionComponent<{column: Column, row?: string | null}>} */
export const Menu = memo(function Menu({ column, row = null }) {
  const { change } = useBoard();
  const { keys, isPinned } = useColumns();
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
        currentTarget.value = "";
        if (item) change(item[1]);
      }}
    >
      <option value="" hidden>⋯</option>
      {items.map(([label, , isOff], index) => <option value={index} disabled={isOff}>{label}</option>)}
    </select>
  );
});
