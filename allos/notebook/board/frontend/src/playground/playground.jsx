/**
 * The whole of a playground's fields.
 *
 * @import { Store } from "./store.js"
 * @import { PlaygroundState } from "./state.js"
 *
 * @typedef {{store: Store, state: PlaygroundState, prefix: string}} ViewProps `prefix` begins the ids of a view
 */

import { useRef } from "preact/hooks";

import { Editor } from "./editor.jsx";
import { Footer } from "./footer.jsx";
import { Models } from "./models.jsx";
import { AddParameter, Parameter, Problems } from "./params.jsx";
import { Repeats, Rows } from "./rows.jsx";
import { withColumn, without } from "./state.js";

/** @param {ViewProps} props */
export function Playground({ store, state, prefix }) {
  const { draft, facts } = state;
  const live = state.connected;
  return (
    <div class={`allos-playground mathjax_ignore tex2jax_ignore${live ? ` live-${facts.own_class}` : ""}`} role="region" aria-label="Playground" tabIndex={-1}>
      <div class="fields">
        <div class="texts">
          <Texts store={store} state={state} prefix={prefix} />
          <div class="chips" role="group" aria-label="Parameters for all models">
            {Object.entries(draft.params).map(([name, value]) => (
              <Parameter
                key={name}
                field={facts.parameters.find((each) => each.name === name)}
                value={value}
                problem={state.plan?.problems[`params.${name}`]}
                change={(text) => store.dispatch({ type: "edit", change: { params: { ...draft.params, [name]: text } } })}
                remove={() => store.dispatch({ type: "edit", change: { params: without(draft.params, name) } })}
              />
            ))}
            <AddParameter
              label="Add a parameter for all models"
              fields={facts.parameters.filter(({ name }) => !(name in draft.params))}
              add={(name) => store.dispatch({ type: "edit", change: { params: { ...draft.params, [name]: "" } } })}
            />
            <Repeats store={store} state={state} />
            <Rows store={store} state={state} />
          </div>
          <Problems state={state} fields={[...Object.keys(draft.params).map((name) => `params.${name}`), "n", "count"]} />
        </div>
        <Models store={store} state={state} prefix={prefix} />
      </div>
      <Footer store={store} state={state} prefix={prefix} />
      {live && (
        <style>
          {`.jp-OutputArea:has(.live-${facts.own_class})>.jp-OutputArea-child:has(.${facts.own_class}){display:none}`}
        </style>
      )}
    </div>
  );
}

/** @param {ViewProps} props */
function Texts({ store, state, prefix }) {
  const { draft, facts, plan } = state;
  /** @type {{current: HTMLTextAreaElement | null}} the field that was typed in last */
  const last = useRef(null);
  const data = facts.columns && (
    <span class="aside">
      {`${facts.row_count.toLocaleString("en")} ${facts.row_count === 1 ? "row" : "rows"}`}
      {facts.data_name && <> of <b>{facts.data_name}</b></>}
    </span>
  );
  const fields = /** @type {const} */ (["system", "prompt"]);
  /** @param {string} name */
  function insert(name) {
    const area = last.current;
    const field = area?.name === "system" ? "system" : "prompt";
    const text = draft[field];
    const changed = withColumn(text, area?.selectionStart ?? text.length, area?.selectionEnd ?? text.length, name);
    store.dispatch({ type: "edit", change: { [field]: changed.text } });
    area?.focus();
    area?.setSelectionRange(changed.at, changed.at);
  }
  return (
    <>
      {fields.map((field) => (
        <div key={field}>
          <div class="head">
            <label for={`${prefix}-${field}`}>{field === "system" ? "System" : "Prompt"}</label>
            {field === "prompt" && data}
          </div>
          <Editor
            id={`${prefix}-${field}`}
            name={field}
            value={draft[field]}
            columns={facts.columns}
            problem={draft[field].trim() ? (plan?.problems[field] ?? "") : ""}
            warning={plan?.warnings[field] ?? ""}
            placeholder={field === "system" ? "Instructions to every model, if you like" : "What to ask"}
            lines={field === "system" ? 1 : 4}
            onFocus={(area) => (last.current = area)}
            change={(text) => store.dispatch({ type: "edit", change: { [field]: text } })}
          />
        </div>
      ))}
      {facts.columns && (
        <div class="chips columns" role="group" aria-label="Put a column into the prompt">
          {facts.columns.map((name) => (
            <button key={name} type="button" class="chip column" title={`Put the value of ${name} into the prompt`} onClick={() => insert(name)}>
              {name}
            </button>
          ))}
        </div>
      )}
    </>
  );
}
