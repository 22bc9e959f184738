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
  /** How far it is scrolled, in rows: not each pixel is drawn anew. */
  const [scrolled, setScrolled] = useState(0);
  const [isAll, showAll] = useState(false);
  const [, redraw] = useState({});
  const height_px = (/** @type {number} */ at) => heights.get(keyOf(/** @type {T} */ (items[at]))) ?? row_px;
  const top_px = isAll ? 0 : scrolled * row_px;
  const end_px = isAll ? Infinity : top_px + WINDOW_PX + AHEAD_PX;
  let [first, before_px, after_px] = [0, 0, 0];
  while (first < items.length && before_px + height_px(first) < top_px - AHEAD_PX) before_px += height_px(first++);
  let end = first;
  for (let at_px = before_px; end < items.length && at_px < end_px; end++) at_px += height_px(end);
  for (let at = end; at < items.length; at++) after_px += height_px(at);
  const rows = items.slice(first, end);
  const look = () => {
    const box = body.current?.closest(".scroller");
    if (!box?.clientHeight) return; // not seen: nothing has a size
    let shown_px = before_px;
    rows.forEach((item, at) => {
      const row = body.current?.rows[first ? at + 1 : at];
      if (row) heights.set(keyOf(item), row.getBoundingClientRect().height);
      shown_px += heights.get(keyOf(item)) ?? row_px;
    });
    setScrolled(Math.floor(box.scrollTop / row_px));
    // Rows that are lower than was estimated leave room for more.
    if (after_px && shown_px < end_px) redraw({});
  };
  const latest = useRef(look);
  latest.current = look;
  useEffect(look);
  useEffect(() => {
    // On paper nothing scrolls.
    const print = (/** @type {Event} */ { type }) => showAll(type === "beforeprint");
    const listening = new AbortController();
    body.current?.closest(".scroller")?.addEventListener("scroll", () => latest.current(), listening);
    addEventListener("beforeprint", print, listening);
    addEventListener("afterprint", print, listening);
    return () => listening.abort();
  }, []);
  return (
    <tbody ref={body}>
      <Space columns={columns} height_px={before_px} />
      {rows.map(children)}
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
