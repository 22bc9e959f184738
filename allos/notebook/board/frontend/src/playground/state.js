/**
 * The state of one playground's page, and how it changes. Pure.
 *
 * @import { Choice, Draft, DraftModel, Facts, KernelMessage, Plan, Run } from "./protocol.js"
 *
 * @typedef {object} Picker
 * @property {boolean} open
 * @property {string} query
 * @property {number} at the option that Enter would choose
 * @property {Choice[]} items
 * @property {string} says a line below the list
 * @property {number} number of the newest search
 *
 * @typedef {object} PlaygroundState
 * @property {Draft} draft
 * @property {Facts} facts
 * @property {Plan | null} plan
 * @property {Run[]} runs
 * @property {string} notice
 * @property {string} question
 * @property {Picker} picker
 * @property {"" | "code" | "rows"} panel
 * @property {boolean} starting a run was asked for, and has not begun
 * @property {boolean} connected
 *
 * @typedef {{type: "edit", change: Partial<Draft>} | {type: "model", at: number, model: DraftModel | null}
 *   | {type: "add", name: string} | {type: "picker", change: Partial<Picker>}
 *   | {type: "trait", name: "draft" | "facts" | "plan" | "runs" | "notice" | "question", value: any}
 *   | {type: "panel", panel: "code" | "rows"} | {type: "started"} | {type: "dismissed"} | {type: "disconnected"}
 *   | KernelMessage} PlaygroundEvent
 */

/** @type {Picker} */
const CLOSED = { open: false, query: "", at: 0, items: [], says: "", number: 0 };

/** @param {(name: string) => any} get @returns {PlaygroundState} */
export function initialState(get) {
  return {
    draft: get("draft"),
    facts: get("facts"),
    plan: planOf(get("plan")),
    runs: get("runs") ?? [],
    notice: get("notice") ?? "",
    question: get("question") ?? "",
    picker: CLOSED,
    panel: "",
    starting: false,
    connected: true,
  };
}

/** @param {Plan | {}} plan */
const planOf = (plan) => (plan && "revision" in plan ? plan : null);

/** @param {PlaygroundState} state @param {PlaygroundEvent} event @returns {PlaygroundState} */
export function reduce(state, event) {
  const { draft, picker } = state;
  switch (event.type) {
    case "edit":
      return edited(state, event.change);
    case "model":
      return edited(state, {
        models: draft.models.flatMap((model, at) => (at !== event.at ? [model] : event.model ? [event.model] : [])),
      });
    case "add":
      return {
        ...edited(state, { models: [...draft.models, { name: event.name, params: {} }] }),
        picker: { ...CLOSED, number: picker.number },
      };
    case "picker": {
      const next = { ...picker, ...event.change };
      return { ...state, picker: { ...next, at: Math.max(0, Math.min(next.at, next.items.length - 1)) } };
    }
    case "models":
      if (event.number !== picker.number) return state; // of an earlier search
      return { ...state, picker: { ...picker, items: event.items, says: event.says, at: firstUsable(event.items) } };
    case "trait":
      if (event.name === "plan") return { ...state, plan: planOf(event.value) };
      // What is typed here is newer than what comes back.
      if (event.name === "draft" && event.value.revision < draft.revision) return state;
      return { ...state, [event.name]: event.value };
    case "panel":
      return { ...state, panel: state.panel === event.panel ? "" : event.panel };
    case "started":
      return { ...state, starting: true, question: "", notice: "" };
    case "ran":
      return { ...state, starting: false };
    case "listed":
      return { ...state, picker: { ...picker, says: "" } };
    case "dismissed":
      return { ...state, question: "", notice: "" };
    case "disconnected":
      return { ...state, connected: false, starting: false };
  }
}

/** How much is missing: a prompt, a model. @param {Draft} draft */
const blanks = ({ prompt, models }) => Number(!prompt.trim()) + Number(!models.length);

/** @param {PlaygroundState} state @param {Partial<Draft>} change @returns {PlaygroundState} */
function edited(state, change) {
  const draft = { ...state.draft, ...change, revision: state.draft.revision + 1 };
  // A plan of empty fields says what is missing, which is wrong from the first letter on.
  return { ...state, draft, plan: blanks(draft) < blanks(state.draft) ? null : state.plan };
}

/** @param {Choice[]} items */
function firstUsable(items) {
  return Math.max(0, items.findIndex(({ usable }) => usable));
}

/** The option so many steps away, round about. @param {Picker} picker @param {number} step */
export function moved({ items, at }, step) {
  return items.length ? (at + step + items.length) % items.length : 0;
}

/** Whether the plan is of what is typed. @param {PlaygroundState} state */
export const isPlanned = ({ plan, draft }) => plan?.revision === draft.revision;

/** Whether pressing Run may do something. @param {PlaygroundState} state */
export function isRunnable(state) {
  return state.connected && !state.starting && (!isPlanned(state) || Object.keys(state.plan?.problems ?? {}).length === 0);
}

/** As the board names columns. @param {number} at */
export const letterOf = (at) => (at < 26 ? "" : String.fromCharCode(64 + Math.floor(at / 26))) + String.fromCharCode(65 + (at % 26));

/** A text with another one put in the place of what is selected. @param {string} text @param {number} start @param {number} end @param {string} name */
export function withColumn(text, start, end, name) {
  const inserted = `{{ ${name} }}`;
  return { text: text.slice(0, start) + inserted + text.slice(end), at: start + inserted.length };
}

/** @param {Record<string, string>} params @param {string} name */
export function without(params, name) {
  const { [name]: _, ...rest } = params;
  return rest;
}
