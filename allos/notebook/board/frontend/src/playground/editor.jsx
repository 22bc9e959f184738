/** A text area over a copy of its text, in which the names of columns are marked. */

import { useLayoutEffect, useRef } from "preact/hooks";

import { piecesOf } from "./highlight.js";

/**
 * @param {{id: string, name: string, value: string, columns: readonly string[] | null, problem: string, warning: string,
 *   placeholder: string, lines: number, onFocus: (area: HTMLTextAreaElement) => void, change: (text: string) => void}} props
 */
export function Editor({ id, name, value, columns, problem, warning, placeholder, lines, onFocus, change }) {
  /** @type {{current: HTMLTextAreaElement | null}} */
  const area = useRef(null);
  // The text area is as high as the copy: what scrolls is around both, and they cannot part.
  useLayoutEffect(() => {
    if (area.current && area.current.value !== value) area.current.value = value;
  });
  const says = problem || warning;
  return (
    <>
      <div class={`editor${problem ? " wrong" : ""}`} style={{ "--lines": lines }}>
        <div class="both">
          <pre class="copy" dir="auto" aria-hidden="true">
            {piecesOf(value, columns).map(({ text, kind }, at) => (kind ? <mark key={at} class={kind}>{text}</mark> : text))}
            {"\n"}
          </pre>
          <textarea
            id={id}
            name={name}
            ref={area}
            rows={1}
            dir="auto"
            defaultValue={value}
            placeholder={placeholder}
            spellcheck={false}
            aria-invalid={Boolean(problem)}
            aria-describedby={says ? `${id}-says` : undefined}
            onFocus={({ currentTarget }) => onFocus(currentTarget)}
            onKeyDown={ownEnter}
            onInput={({ currentTarget }) => change(currentTarget.value)}
          />
        </div>
      </div>
      {says && <p id={`${id}-says`} class={problem ? "problem" : "warning"} role={problem ? "alert" : undefined}>{says}</p>}
    </>
  );
}

/** JupyterLab cancels the new line of any text area in a cell whose key it has seen. @param {KeyboardEvent} event */
function ownEnter(event) {
  if (event.key === "Enter") event.stopPropagation();
}
