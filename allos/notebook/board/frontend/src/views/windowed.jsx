/**
 * Long lists: only the rows near the window of their scroller are in the page. The others are two rows of
 * their height, as it was measured or is estimated, so that the scroll bar is right.
 *
 * @import { ComponentChildren } from "preact"
 */

import { useEffect, useRef, useState } from "preact/hooks";

/** How far ahead rows are made. */
const AHEAD_PX = 700;
/** No scroller is higher, see board.css. */
const WINDOW_PX = 820;

/**
 * A box that scrolls, if what is in it is long.
 * @param {{label: string, name: string, children: ComponentChildren}} props
 */
export const Scroller = ({ label, name, children }) => (
  <div class={`scroller ${name}`} role="region" aria-label={label} tabIndex={0}>{children}</div>
);

/**
 * The body of a table in a scroller.
 * @template T
 * @param {object} props
 * @param {readonly T[]} props.items
 * @param {(item: T) => string} props.keyOf
 * @param {number} props.columns
 * @param {number} props.row_px about how high a row is
 * @param {(item: T) => ComponentChildren} props.children makes the row of an item
 */
export function Rows({ items, keyOf, columns, row_px, children }) {
  const body = useRef(/** @type {HTMLTableSectionElement | null} */ (null));
  const heights = useRef(/** @type {Map<string, number>} */ (new Map())).current;
  /** How far it is scrolled, in rows: each row and not each pixel is drawn anew. */
  const [scrolled, setScrolled] = useState(0);
  const [isAll, showAll] = useState(false);
  const shown = useRef({ first: 0, rows: /** @type {readonly T[]} */ ([]) });
  const height_px = (/** @type {number} */ at) => heights.get(keyOf(/** @type {T} */ (items[at]))) ?? row_px;
  const top_px = isAll ? 0 : scrolled * row_px;
  const end_px = isAll ? Infinity : top_px + WINDOW_PX + AHEAD_PX;
  let [first, before_px, after_px] = [0, 0, 0];
  while (first < items.length && before_px + height_px(first) < top_px - AHEAD_PX) before_px += height_px(first++);
  let end = first;
  for (let at_px = before_px; end < items.length && at_px < end_px; end++) at_px += height_px(end);
  for (let at = end; at < items.length; at++) after_px += height_px(at);
  shown.current = { first, rows: items.slice(first, end) };
  useEffect(() => {
    const box = body.current?.closest(".scroller");
    if (!box) return;
    const look = () => {
      const { first, rows } = shown.current;
      rows.forEach((item, at) => {
        const row = body.current?.rows[first ? at + 1 : at];
        if (row) heights.set(keyOf(item), row.getBoundingClientRect().height);
      });
      setScrolled(Math.floor(box.scrollTop / row_px));
    };
    // On paper nothing scrolls.
    const print = (/** @type {Event} */ { type }) => showAll(type === "beforeprint");
    box.addEventListener("scroll", look);
    window.addEventListener("beforeprint", print);
    window.addEventListener("afterprint", print);
    return () => {
      box.removeEventListener("scroll", look);
      window.removeEventListener("beforeprint", print);
      window.removeEventListener("afterprint", print);
    };
  }, []);
  return (
    <tbody ref={body}>
      <Space columns={columns} height_px={before_px} />
      {shown.current.rows.map(children)}
      <Space columns={columns} height_px={after_px} />
    </tbody>
  );
}

/** @param {{columns: number, height_px: number}} props */
const Space = ({ columns, height_px }) =>
  height_px > 0 && (
    <tr aria-hidden="true">
      <td class="space" colSpan={columns} style={{ height: `${height_px}px` }} />
    </tr>
  );
