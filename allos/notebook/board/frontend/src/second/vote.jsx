/**
 * Two answers to one prompt without their names, and which is better.
 *
 * @import { Choice, Side, Vote, Voting } from "../protocol.js"
 * @import { BoardState } from "../state.js"
 * @import { ViewState } from "../view_state.js"
 */

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { showMarkup } from "../answer_text.js";
import { Asked } from "../views/clamped.jsx";
import { useBoard } from "../views/context.js";
import { levelled } from "./levelled.js";
import { noteAndTags } from "./note.js";

/** @type {readonly [Choice, label: string, key: string][]} */
const CHOICES = [["left", "Left is better", "1"], ["tie", "Tie", "0"], ["bad", "Both bad", "x"], ["right", "Right is better", "2"]];
/** @type {readonly ["left" | "tie" | "right", string][]} */
const RUBRIC = [["left", "Left"], ["tie", "Same"], ["right", "Right"]];

const ONE_PAIR = "There is one pair: the names are shown after your vote.";
const NEXT_PAIR = "Each pair is the one that tells most: models with the fewest votes, then the closest ones.";

/** @param {{state: BoardState, view: ViewState, vote: Vote}} props */
export function VoteView({ state, view, vote }) {
  const { send } = useBoard();
  const [isLevel, setLevel] = useState(false);
  const isWaiting = vote.phase === "waiting";
  return (
    <>
      <div class="bar vote-bar" role="toolbar" aria-label="Vote">
        <b>Blind</b>
        <span class="hint">names, colours, times and costs are hidden until you have voted</span>
        <span class="right">
          <span class="chip">
            {isWaiting ? `${vote.answered} of ${vote.calls} answers` : `${vote.voted} of ${vote.pairs} ${vote.pairs === 1 ? "pair" : "pairs"}`}
          </span>
          {!isWaiting && (
            <button
              class="btn"
              aria-pressed={isLevel}
              title="Plain text without Markdown, and both cut to the same length"
              onClick={() => setLevel(!isLevel)}
            >
              Level the formatting
            </button>
          )}
          {isWaiting && state.can_run && <button class="btn" onClick={() => send({ action: "stop_all" })}>Stop all</button>}
          <button class="btn" disabled={!state.connected} onClick={() => send({ action: "vote_stop" })}>Reveal and stop</button>
        </span>
      </div>
      {isWaiting ? (
        <p class="none" role="status">The answers appear together, once all are there: how fast one comes could tell whose it is.</p>
      ) : (
        <Pair key={vote.pair} state={state} view={view} vote={vote} isLevel={isLevel} />
      )}
    </>
  );
}

/** @param {{state: BoardState, view: ViewState, vote: Voting, isLevel: boolean}} props */
function Pair({ state, view, vote, isLevel }) {
  const { send, taken } = useBoard();
  const [chosen, choose] = useState(/** @type {{choice: Choice, turn: number} | null} */ (null));
  const [note, setNote] = useState(/** @type {string | null} */ (null));
  const [said, setSaid] = useState(/** @type {ReadonlyMap<string, string>} */ (new Map()));
  const shown_at_ms = useRef(performance.now());
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  // The kernel has dealt with the vote and shows the pair still: it could not be kept.
  const isPending = chosen !== null && chosen.turn === vote.turn;
  const cast = (/** @type {Choice} */ choice) => {
    if (isPending || !state.connected) return;
    choose({ choice, turn: vote.turn });
    const taken_s = (performance.now() - shown_at_ms.current) / 1000;
    const written = noteAndTags(note ?? "");
    const tags = [...written.tags, ...[...said].map(([question, answer]) => `${question} ${answer}`)];
    send({ action: "vote", pair: vote.pair, choice, taken_s, note: written.note, tags });
  };
  const undo = () => {
    if (vote.voted && !isPending) send({ action: "vote_undo" });
  };
  const onKey = (/** @type {string} */ key) => {
    const choice = CHOICES.find(([, , own]) => own === key);
    if (choice) cast(choice[0]);
    else if (key === "u") undo();
    else if (key === "n") setNote(note ?? "");
    else return false;
    return true;
  };
  useLayoutEffect(() => {
    taken.onKey = onKey;
    return () => {
      if (taken.onKey === onKey) taken.onKey = null;
    };
  });
  const isWriting = note !== null;
  useLayoutEffect(() => {
    if (isWriting) field.current?.focus();
  }, [isWriting]);
  const plain = isLevel ? levelled(vote.sides.map(({ html }) => html)) : null;
  return (
    <>
      <div class="head">
        <div class="asks">
          {vote.system && <Asked id="system" text={vote.system} isExpanded={view.expanded.has("system")} />}
          {vote.prompt && <Asked id="prompt" text={vote.prompt} isExpanded={view.expanded.has("prompt")} />}
        </div>
      </div>
      <div class="sides">
        {vote.sides.map((side, at) => (
          <SideView
            name={at ? "Right" : "Left"}
            side={side}
            plain={plain?.[at] ?? null}
            isChosen={isPending && chosen?.choice === (at ? "right" : "left")}
          />
        ))}
      </div>
      {vote.rubric.map((question) => (
        <fieldset class="rubric">
          <legend>{question}</legend>
          <div class="segments" role="group" aria-label={question}>
            {RUBRIC.map(([answer, label]) => (
              <button
                aria-pressed={said.get(question) === answer}
                onClick={() => setSaid(new Map(said).set(question, answer))}
              >
                {label}
              </button>
            ))}
          </div>
        </fieldset>
      ))}
      <div class="choices" role="group" aria-label="Which answer is better?">
        {CHOICES.map(([choice, label, key]) => (
          <button
            class={isPending && chosen?.choice === choice ? "btn chosen" : "btn"}
            aria-pressed={isPending && chosen?.choice === choice}
            aria-disabled={isPending || !state.connected}
            aria-keyshortcuts={key}
            onClick={() => cast(choice)}
          >
            {label} <kbd>{key}</kbd>
          </button>
        ))}
      </div>
      {isWriting && (
        <label class="note">
          {"Note "}
          <input
            ref={field}
            type="text"
            dir="auto"
            maxLength={2000}
            placeholder="saved with the vote; #words are its tags"
            value={note}
            onInput={({ currentTarget }) => setNote(currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" && event.key !== "Escape") return;
              event.stopPropagation();
              /** @type {HTMLElement | null} */ (event.currentTarget.closest(".allos-board"))?.focus();
            }}
          />
        </label>
      )}
      <div class="sum voted">
        <span role="status">{vote.last || (vote.pairs === 1 ? ONE_PAIR : NEXT_PAIR)}</span>
        <span class="logged">
          {!state.connected && "kernel gone "}
          <button class="btn quiet" disabled={!vote.voted} onClick={undo}>{"undo "}<kbd>u</kbd></button>
          <button class="btn quiet" aria-expanded={isWriting} onClick={() => setNote(note ?? "")}>{"note "}<kbd>n</kbd></button>
        </span>
      </div>
    </>
  );
}

/** @param {{name: string, side: Side, plain: string | null, isChosen: boolean}} props */
function SideView({ name, side, plain, isChosen }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  useLayoutEffect(() => {
    if (!box.current) return;
    if (plain === null) showMarkup(box.current, side.html);
    else box.current.textContent = plain;
  }, [side.html, plain]);
  return (
    <section class={isChosen ? "side chosen" : "side"} aria-label={`${name} answer`}>
      <div class="side-name">
        {name}
        {side.names && <span class="warn" title="Then you may know whose it is">{`names ${side.names}`}</span>}
      </div>
      <div ref={box} class={plain === null ? "text" : "text plain"} dir="auto" />
    </section>
  );
}
