/**
 * Long lists: only what is near the window of its scroller is in the page. The rest has its height, as it
 * was measured or is estimated, so that the scroll bar is right.
 *
 * @import { ComponentChildren } from "preact"
 */

import { createContext } from "preact";
import { useContext, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

/** How far ahead rows are made. */
const MARGIN = "700px 0px";

class Watcher {
  /** @type {IntersectionObserver | null} */
  #observer = null;
  /** @type {Map<Element, (isNear: boolean) => void>} */
  #watched = new Map();

  /** @param {Element} root */
  start(root) {
    this.#observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) this.#watched.get(target)?.(isIntersecting);
      },
      { root, rootMargin: MARGIN },
    );
    for (const element of this.#watched.keys()) this.#observer.observe(element);
    window.addEventListener("beforeprint", this.#showAll);
  }

  /** On paper nothing scrolls. */
  #showAll = () => {
    for (const tell of this.#watched.values()) tell(true);
  };

  stop() {
    this.#observer?.disconnect();
    window.removeEventListener("beforeprint", this.#showAll);
  }

  /** @param {Element} element @param {(isNear: boolean) => void} tell */
  watch(element, tell) {
    this.#watched.set(element, tell);
    this.#observer?.observe(element);
    return () => {
      this.#watched.delete(element);
      this.#observer?.unobserve(element);
    };
  }
}

const WatcherContext = createContext(/** @type {Watcher | null} */ (null));

/**
 * A box that scrolls, if what is in it is long.
 * @param {{label: string, name: string, children: ComponentChildren}} props
 */
export function Scroller({ label, name, children }) {
  const watcher = useMemo(() => new Watcher(), []);
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  useLayoutEffect(() => {
    if (box.current) watcher.start(box.current);
    return () => watcher.stop();
  }, []);
  return (
    <WatcherContext.Provider value={watcher}>
      <div ref={box} class={`scroller ${name}`} role="region" aria-label={label} tabIndex={0}>
        {children}
      </div>
    </WatcherContext.Provider>
  );
}

/**
 * Rows of a table that come and go together.
 * @param {{count: number, columns: number, row_px: number, isFirst: boolean, children: () => ComponentChildren}} props
 */
export function Chunk({ count, columns, row_px, isFirst, children }) {
  const watcher = useContext(WatcherContext);
  const body = useRef(/** @type {HTMLTableSectionElement | null} */ (null));
  const height_px = useRef(count * row_px);
  const [isNear, setNear] = useState(isFirst);
  useEffect(() => {
    const element = body.current;
    if (!element) return;
    return watcher?.watch(element, (next) => {
      if (!next && element.rows.length > 1) height_px.current = element.offsetHeight;
      setNear(next);
    });
  }, [watcher]);
  return (
    <tbody ref={body}>
      {isNear ? (
        children()
      ) : (
        <tr aria-hidden="true">
          <td class="space" colSpan={columns} style={{ height: `${height_px.current}px` }} />
        </tr>
      )}
    </tbody>
  );
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {number} size how many come and go together
 * @returns {T[][]}
 */
export function chunks(items, size) {
  const found = [];
  for (let at = 0; at < items.length; at += size) found.push(items.slice(at, at + size));
  return found;
}
