/**
 * How often every call is made, and with which rows of the data.
 *
 * @import { Which } from "./protocol.js"
 * @import { Store } from "./store.js"
 * @import { PlaygroundState } from "./state.js"
 */

/** @param {{store: Store, state: PlaygroundState}} props */
export function Repeats({ store, state }) {
  const { draft, plan } = state;
  return (
    <label class={`chip field${plan?.problems["n"] ? " wrong" : ""}`} title="Separate calls with the same question">
      <span class="name">repeats</span>
      <input
        type="text"
        inputMode="numeric"
        size={2}
        value={draft.n}
        aria-invalid={Boolean(plan?.problems["n"])}
        onInput={({ currentTarget }) => store.dispatch({ type: "edit", change: { n: currentTarget.value } })}
      />
    </label>
  );
}

/** @param {{store: Store, state: PlaygroundState}} props */
export function Rows({ store, state }) {
  const { draft, facts, plan } = state;
  if (!facts.columns || facts.row_count < 2) return null;
  const change = (/** @type {Partial<typeof draft>} */ change) => store.dispatch({ type: "edit", change });
  const at = Number(draft.count);
  const turn = (/** @type {number} */ step) => {
    const from = Number.isInteger(at) ? at : 1;
    change({ count: String(((from - 1 + step + facts.row_count) % facts.row_count) + 1) });
  };
  return (
    <span class={`chip field${plan?.problems["count"] ? " wrong" : ""}`}>
      <select
        aria-label="Rows"
        value={draft.which}
        onChange={({ currentTarget }) => change({ which: /** @type {Which} */ (currentTarget.value), ...(currentTarget.value === "row" ? { count: "1" } : {}) })}
      >
        <option value="all">{`all ${facts.row_count.toLocaleString("en")} rows`}</option>
        <option value="first">first rows</option>
        <option value="sample">rows at random</option>
        <option value="row">row</option>
      </select>
      {draft.which === "row" && <button type="button" class="turn" aria-label="Previous row" onClick={() => turn(-1)}>‹</button>}
      {draft.which !== "all" && (
        <input
          type="text"
          inputMode="numeric"
          size={Math.max(2, draft.count.length)}
          aria-label={draft.which === "row" ? "Number of the row" : "Number of rows"}
          aria-invalid={Boolean(plan?.problems["count"])}
          value={draft.count}
          onInput={({ currentTarget }) => change({ count: currentTarget.value })}
        />
      )}
      {draft.which !== "all" && <span class="name">{`of ${facts.row_count.toLocaleString("en")}`}</span>}
      {draft.which === "row" && <button type="button" class="turn" aria-label="Next row" onClick={() => turn(1)}>›</button>}
    </span>
  );
}
