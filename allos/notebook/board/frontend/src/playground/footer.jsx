/**
 * What a run would cost, the button that starts it, the code that does the same, and the earlier runs.
 *
 * @import { Run } from "./protocol.js"
 * @import { ViewProps } from "./playground.jsx"
 */

import { copy } from "../copy.js";
import { isPlanned, isRunnable } from "./state.js";

/** @param {ViewProps} props */
export function Footer({ store, state, prefix }) {
  const { plan, panel, runs, question, notice, connected, starting } = state;
  const latest = runs[runs.length - 1];
  const running = runs.some(({ done }) => !done);
  return (
    <>
      <div class="foot">
        <Sums state={state} />
        <span class="right">
          {latest && (
            <button type="button" class="btn" aria-expanded={panel === "rows"} onClick={() => store.dispatch({ type: "panel", panel: "rows" })}>
              As rows
            </button>
          )}
          <button type="button" class="btn" aria-expanded={panel === "code"} onClick={() => store.dispatch({ type: "panel", panel: "code" })}>
            As code
          </button>
          {running && (
            <button type="button" class="btn" onClick={() => store.send({ action: "stop" })}>
              {"Stop "}<kbd>Esc</kbd>
            </button>
          )}
          <button type="button" class="btn main" disabled={!isRunnable(state)} onClick={() => store.run()}>
            {starting ? "Starting …" : "Run"}{" "}<kbd aria-label="Control Enter">⌃⏎</kbd>
          </button>
        </span>
      </div>
      {question && (
        <div class="ask" role="alertdialog" aria-label="Confirm the run">
          <span>{question}</span>
          <span class="right">
            <button type="button" class="btn" onClick={() => store.dismiss()}>Cancel</button>
            <button type="button" class="btn main" onClick={() => store.run(true)}>Run all</button>
          </span>
        </div>
      )}
      {notice && (
        <div class="ask error" role="alert">
          <span>{notice}</span>
          <button type="button" class="gone" aria-label="Close the message" onClick={() => store.dismiss()}>×</button>
        </div>
      )}
      {!connected && (
        <div class="ask error" role="alert">
          The kernel has ended. What you typed stays here until its cell runs again: copy what you need.
        </div>
      )}
      {panel && <Source id={`${prefix}-source`} code={panel === "code" ? (plan?.code ?? "") : `import allos\n\nrows = ${latest?.rows ?? ""}\nrows`} />}
      {runs.length > 0 && (
        <div class="runs">
          <span>{runs.length === 1 ? "below:" : `${runs.length} runs below:`}</span>
          {runs.slice(-MOST_RUNS).reverse().map((run) => <RunLink key={run.id} run={run} />)}
        </div>
      )}
    </>
  );
}

const MOST_RUNS = 6;

/** @param {Pick<ViewProps, "state">} props */
function Sums({ state }) {
  const { plan } = state;
  const planned = isPlanned(state);
  if (!plan) return <span class="sums" role="status">…</span>;
  const { draft } = state;
  if (Object.keys(plan.problems).length) {
    // What stands beside its field is not said again.
    const missing = !draft.models.length ? plan.problems["models"] : !draft.prompt.trim() ? plan.problems["prompt"] : "";
    return <span class="sums" role="status">{missing || "Change what is marked."}</span>;
  }
  const { calls, tokens, cost, left, failures = [], dropped = [] } = plan;
  return (
    <span class={planned ? "sums" : "sums old"} role="status">
      <span><b>{calls.toLocaleString("en")}</b>{calls === 1 ? " call" : " calls"}</span>
      <span>{tokens}</span>
      <span>{cost}{left ? `, ${left}` : ""}</span>
      {failures.map((failure) => <span class="bad" key={failure}>{failure}</span>)}
      {dropped.length > 0 && <span title={dropped.join(", ")}>{`left out: ${dropped.join(", ")}`}</span>}
    </span>
  );
}

/** @param {{id: string, code: string}} props */
function Source({ id, code }) {
  return (
    <div class="source" id={id}>
      <pre tabIndex={0} aria-label="Code that does the same"><code>{code}</code></pre>
      <button type="button" class="btn copybtn" aria-label="Copy the code" onClick={({ currentTarget }) => copy(currentTarget, code)}>Copy</button>
    </div>
  );
}

/** @param {{run: Run}} props */
function RunLink({ run }) {
  const time = new Date(run.started_at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  /** @param {MouseEvent} event */
  function show(event) {
    const root = /** @type {HTMLElement} */ (event.currentTarget).closest(".jp-OutputArea, .output_area, body");
    root?.querySelector(`.${run.board}`)?.scrollIntoView({ block: "nearest" });
  }
  return (
    <button type="button" class="run" title={run.id} onClick={show}>
      <b>{run.short}</b>{` ${time}, ${run.words}`}
    </button>
  );
}
