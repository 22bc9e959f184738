/** What the second script holds: loaded when it is first used, see `later.js`. */

import { Marker } from "../diff/marker.js";
import { AddModel } from "./add_model.jsx";
import { Arrange } from "./arrange.jsx";
import { Help } from "./help.jsx";
import { RankingView } from "./ranking.jsx";
import { VoteView } from "./vote.jsx";

export default { AddModel, Arrange, Help, Marker, RankingView, VoteView };
