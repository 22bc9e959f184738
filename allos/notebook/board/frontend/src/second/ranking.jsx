/**
 * Models by the votes of people, with their intervals.
 *
 * @import { Ranking, RankingLine } from "../protocol.js"
 */

import { useBoard } from "../views/context.js";

/** @param {{ranking: Ranking}} props */
export function RankingView({ ranking }) {
  const { send } = useBoard();
  const { votes, lines, last, says, counts } = ranking;
  return (
    <section class="ranking" aria-label="Ranking by votes">
      <div class="vote-bar">
        <b>{`${votes} ${votes === 1 ? "vote" : "votes"}`}</b>
        <span class="hint">95 % intervals, clustered by rater and prompt</span>
        <span class="right">
          <button class="btn quiet" onClick={() => send({ action: "vote_undo" })}>Undo the last vote</button>
          <button class="btn quiet" aria-label="Close the ranking" onClick={() => send({ action: "ranking_close" })}>
            ✕
          </button>
        </span>
      </div>
      <table>
        <thead>
          <tr>
            <th scope="col">rank</th>
            <th scope="col">model</th>
            <th scope="col" class="axis">strength</th>
            <th scope="col" class="number">wins</th>
          </tr>
        </thead>
        <tbody>{lines.map((line) => <Line key={line.key} line={line} />)}</tbody>
      </table>
      <p class="verdict" role="status">
        {last && <b>{`${last} `}</b>}
        {says}
        {counts && <small>{` ${counts}.`}</small>}
      </p>
    </section>
  );
}

/** @param {{line: RankingLine}} props */
function Line({ line }) {
  const { slot, shade, letter, model, params, provider } = line;
  return (
    <tr class={`c${slot} s${shade}`}>
      <td>{line.rank}</td>
      <th scope="row">
        <span class="key">{letter}</span> <b title={`${provider}/${model}`}>{model}</b>
        {params && <small>{` ${params}`}</small>}
      </th>
      <td class="axis" title={line.rating}>
        <div class="interval" role="img" aria-label={line.rating}>
          <i style={{ left: `${line.low}%`, width: `${line.high - line.low}%` }} />
          <b style={{ left: `${line.at}%` }} />
        </div>
      </td>
      <td class="number">{line.wins}</td>
    </tr>
  );
}
