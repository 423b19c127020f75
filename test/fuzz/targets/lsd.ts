import { fromHex } from "../../../src/base/bytes.ts";
import { decodeBtSearch, encodeBtSearch, LSD_GROUPS } from "../../../src/lsd/bt-search.ts";
import { type FuzzTarget, Refused } from "../target.ts";

/** What is read is written again, shorter by what was ignored, and read as the same. */
const lsd: FuzzTarget = {
  name: "lsd",
  corpus: LSD_GROUPS.map((group) =>
    encodeBtSearch(
      { port: 6881, infohashes: [fromHex("ab".repeat(20))!, new Uint8Array(20)], cookie: "c00c1e" },
      group,
    ),
  ),
  refusals: [Refused],
  run: (input) => {
    const search = decodeBtSearch(input);
    if (!search) throw new Refused("no search");
    if (search.port < 1 || search.port > 65_535) throw new Error("a port that is none");
    const part = { ...search, infohashes: search.infohashes.slice(0, 8), cookie: undefined };
    const again = decodeBtSearch(encodeBtSearch(part, LSD_GROUPS[0]!));
    if (JSON.stringify(again) !== JSON.stringify(part)) throw new Error("no round trip");
  },
};

export const targets: readonly FuzzTarget[] = [lsd];
