/** A part of the board that the second script has. */

import { useEffect } from "preact/hooks";

import { useBoard, useLater } from "./context.js";

/**
 * @template {"AddModel" | "Arrange" | "Help" | "RankingView" | "VoteView"} N
 * @param {{name: N} & import("preact").ComponentProps<import("../later.js").Second[N]>} props
 */
export function Later({ name, ...props }) {
  const { needSecond } = useBoard();
  const { second, said } = useLater();
  useEffect(needSecond, []);
  const View = /** @type {import("preact").FunctionComponent<any> | undefined} */ (second?.[name]);
  return View ? <View {...props} /> : <p class="extra later" role="status">{said}</p>;
}
