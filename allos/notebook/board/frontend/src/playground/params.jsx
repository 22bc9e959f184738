/**
 * Parameters as chips: a name, a field, and a button that takes it away.
 *
 * @import { Parameter as Field } from "./protocol.js"
 * @import { PlaygroundState } from "./state.js"
 */

import { useLayoutEffect, useRef } from "preact/hooks";

/** The parameter that was added last gets the focus. */
let added = "";

/**
 * @param {{field: Field | undefined, value: string, problem: string | undefined, owner?: string,
 *   change: (text: string) => void, remove: () => void}} props
 */
export function Parameter({ field, value, problem, owner = "", change, remove }) {
  /** @type {{current: any}} */
  const input = useRef(null);
  useLayoutEffect(() => {
    if (field && added === owner + field.name) {
      input.current?.focus();
      added = "";
    }
  }, []);
  if (!field) return null;
  const label = `${field.label}${owner ? ` of ${owner}` : ""}`;
  const shared = { ref: input, value, title: field.help, "aria-label": label, "aria-invalid": Boolean(problem) };
  return (
    <span class={`chip field${problem ? " wrong" : ""}`}>
      <span class="name" aria-hidden="true">{field.label}</span>
      {field.kind === "choice" ? (
        <select {...shared} onChange={({ currentTarget }) => change(currentTarget.value)}>
          <option value="">–</option>
          {field.choices.map((choice) => <option value={choice}>{choice}</option>)}
        </select>
      ) : (
        <input
          {...shared}
          type="text"
          dir={field.kind === "text" ? "auto" : undefined}
          inputMode={field.kind === "text" ? "text" : "decimal"}
          size={Math.max(field.kind === "text" ? 8 : 3, Math.min(value.length, 16))}
          onInput={({ currentTarget }) => change(currentTarget.value)}
        />
      )}
      <button type="button" class="gone" aria-label={`Remove ${label}`} title="Remove" onClick={remove}>×</button>
    </span>
  );
}

/** @param {{label: string, fields: readonly Field[], owner?: string, words?: string, add: (name: string) => void}} props */
export function AddParameter({ label, fields, owner = "", words = "+ parameter", add }) {
  if (!fields.length) return null;
  return (
    <select
      class="chip add"
      aria-label={label}
      value=""
      onChange={({ currentTarget }) => {
        const { value } = currentTarget;
        currentTarget.value = "";
        added = owner + value;
        if (value) add(value);
      }}
    >
      <option value="" hidden>{words}</option>
      {fields.map(({ name, label: shown, help }) => <option value={name} title={help}>{shown}</option>)}
    </select>
  );
}

/** What is wrong with some fields, a line each. @param {{state: PlaygroundState, fields: readonly string[]}} props */
export function Problems({ state, fields }) {
  const lines = fields.map((field) => state.plan?.problems[field]).filter(Boolean);
  return <>{lines.map((line) => <p key={line} class="problem" role="alert">{line}</p>)}</>;
}
