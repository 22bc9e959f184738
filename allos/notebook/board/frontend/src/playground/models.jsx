/**
 * The chosen models, and the list to choose more from.
 *
 * @import { Choice, DraftModel } from "./protocol.js"
 * @import { ViewProps } from "./playground.jsx"
 */

import { useLayoutEffect, useRef } from "preact/hooks";

import { AddParameter, Parameter, Problems } from "./params.jsx";
import { isPlanned, letterOf, moved, without } from "./state.js";

/** @param {ViewProps} props */
export function Models({ store, state, prefix }) {
  const { draft } = state;
  return (
    <div class="models">
      <div class="head">
        <label for={`${prefix}-pick`}>Models</label>
      </div>
      <ul class="chosen">
        {draft.models.map((model, at) => (
          <ModelRow key={at} store={store} state={state} prefix={prefix} model={model} at={at} />
        ))}
      </ul>
      <Picker store={store} state={state} prefix={prefix} />
    </div>
  );
}

/** @param {ViewProps & {model: DraftModel, at: number}} props */
function ModelRow({ store, state, model, at }) {
  const { facts, plan } = state;
  const isKnown = isPlanned(state);
  // Where something is typed the names are those of before, unless a model was added or removed.
  const planned = plan?.models[at];
  const choice = planned && (isKnown || planned.name === model.name) ? planned : null;
  const letter = letterOf(at);
  const [provider, name] = splitName(choice?.shown ?? model.name);
  const change = (/** @type {Record<string, string>} */ params) =>
    store.dispatch({ type: "model", at, model: { ...model, params } });
  const warning = isKnown ? plan?.warnings[`models.${at}`] : "";
  const fields = Object.keys(model.params);
  return (
    <li>
      <div class={`model${choice ? ` c${choice.slot} s${choice.shade}` : ""}`}>
        <span class="key" aria-hidden="true">{letter}</span>
        <span class="who"><b>{name}</b> <small>{provider}</small></span>
        {fields.map((field) => (
          <Parameter
            key={field}
            owner={letter}
            field={facts.parameters.find((each) => each.name === field)}
            value={model.params[field] ?? ""}
            problem={plan?.problems[`models.${at}.${field}`]}
            change={(text) => change({ ...model.params, [field]: text })}
            remove={() => change(without(model.params, field))}
          />
        ))}
        <span class="right">
          <small>{[choice?.price, choice?.window].filter(Boolean).join(" · ")}</small>
          <AddParameter
            label={`Add a parameter for ${letter}, ${name}`}
            owner={letter}
            words="+"
            fields={facts.parameters.filter((each) => !(each.name in model.params))}
            add={(field) => change({ ...model.params, [field]: "" })}
          />
          <button type="button" class="gone" aria-label={`Remove ${letter}, ${name}`} title="Remove" onClick={() => store.dispatch({ type: "model", at, model: null })}>
            ×
          </button>
        </span>
      </div>
      <Problems state={state} fields={[`models.${at}`, ...fields.map((field) => `models.${at}.${field}`)]} />
      {warning && !plan?.problems[`models.${at}`] && <p class="warning">{warning}</p>}
    </li>
  );
}

/** @param {ViewProps} props */
function Picker({ store, state, prefix }) {
  const { picker, draft } = state;
  /** @type {{current: HTMLUListElement | null}} */
  const list = useRef(null);
  useLayoutEffect(() => {
    if (!picker.open || !list.current) return;
    const option = list.current.children[picker.at];
    if (option instanceof HTMLElement) keepInView(list.current, option);
  }, [picker.at, picker.open, picker.items]);

  /** @param {Choice | undefined} choice */
  function choose(choice) {
    if (!choice) return;
    if (choice.listable) store.list(choice.name);
    else if (!choice.usable) store.dispatch({ type: "picker", change: { says: choice.advice } });
    else store.dispatch({ type: "add", name: choice.name });
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!picker.open) store.search(picker.query);
      else store.dispatch({ type: "picker", change: { at: moved(picker, event.key === "ArrowDown" ? 1 : -1), says: "" } });
    } else if (event.key === "Enter" && picker.open && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      choose(picker.items[picker.at]);
    }
  }

  const open = picker.open;
  return (
    <div class={`picker${open ? " open" : ""}`}>
      <input
        id={`${prefix}-pick`}
        type="text"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={open}
        aria-controls={`${prefix}-list`}
        aria-activedescendant={open && picker.items.length ? `${prefix}-option-${picker.at}` : undefined}
        autocomplete="off"
        spellcheck={false}
        placeholder={draft.models.length ? "Add a model" : "Choose a model: type a part of its name"}
        value={picker.query}
        onInput={({ currentTarget }) => store.search(currentTarget.value)}
        onMouseDown={() => !open && store.search(picker.query)}
        onKeyDown={onKeyDown}
        onBlur={() => store.dispatch({ type: "picker", change: { open: false, says: "", query: "" } })}
      />
      <ul
        id={`${prefix}-list`}
        ref={list}
        role="listbox"
        aria-label="Models"
        hidden={!open || !picker.items.length}
        onMouseDown={(event) => event.preventDefault()}
      >
        {open &&
          picker.items.map((item, at) => (
            <li
              key={item.name}
              id={`${prefix}-option-${at}`}
              role="option"
              aria-selected={at === picker.at}
              aria-disabled={!item.usable && !item.listable}
              class={item.usable ? "" : "off"}
              onMouseMove={() => at !== picker.at && store.dispatch({ type: "picker", change: { at } })}
              onClick={() => choose(item)}
            >
              <Option item={item} query={picker.query} />
            </li>
          ))}
      </ul>
      {open && picker.query && !picker.items.length && !picker.says && <p class="hint">No model has that in its name. Write provider/model for one that is new.</p>}
      {picker.says && <p class="warning" role="status">{picker.says}</p>}
    </div>
  );
}

/** @param {{item: Choice, query: string}} props */
function Option({ item, query }) {
  const [provider, name] = splitName(item.shown);
  const facts = item.obstacle || [item.price, item.window].filter(Boolean).join(" · ");
  return (
    <>
      <span class="who"><Found text={name || provider} query={query} /> {name && <small>{provider}</small>}</span>
      <small class="facts">{facts}</small>
    </>
  );
}

/** The part of a name that was typed, in bold. @param {{text: string, query: string}} props */
function Found({ text, query }) {
  const word = query.trim().split(/[\s/]+/).pop() ?? "";
  const at = word ? text.toLowerCase().indexOf(word.toLowerCase()) : -1;
  if (at < 0) return <span>{text}</span>;
  return <span>{text.slice(0, at)}<b>{text.slice(at, at + word.length)}</b>{text.slice(at + word.length)}</span>;
}

/** @param {string} name @returns {[string, string]} */
function splitName(name) {
  const at = name.indexOf("/");
  return at < 0 ? [name, ""] : [name.slice(0, at), name.slice(at + 1)];
}

/** Scroll a list, and nothing around it. @param {HTMLElement} list @param {HTMLElement} option */
function keepInView(list, option) {
  const top = option.offsetTop - list.offsetTop;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + option.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top + option.offsetHeight - list.clientHeight;
}
