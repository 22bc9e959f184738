/** What the second script holds: loaded when it is first used, see `later.js`. */

import { Marker } from "../diff/marker.js";
import { Help } from "./help.jsx";
import { RankingView } from "./ranking.jsx";
import { VoteView } from "./vote.jsx";

export default { Help, Marker, RankingView, VoteView };
