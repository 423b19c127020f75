import { decodeUtf8, fromLatin1 } from "../../../src/base/bytes.ts";
import { parseContentRange } from "../../../src/base/content-range.ts";
import { retryAfterMs } from "../../../src/base/retry-after.ts";
import { type FuzzTarget, Refused } from "../target.ts";

const WALL_MS = 1_767_225_600_000;

/** The headers of a web seed that are more than a number. */
const webSeed: FuzzTarget = {
  name: "web-seed",
  corpus: [
    "bytes 0-99/1000",
    "bytes 16384-32767/*",
    "120",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Thu, 01 Jan 2026 00:05:00 GMT",
  ].map(fromLatin1),
  refusals: [Refused],
  run(input) {
    const text = decodeUtf8(input);
    const range = parseContentRange(text);
    if (range) {
      const { first, last, total } = range;
      const numbers = [first, last, total ?? 0];
      if (!numbers.every((number) => Number.isSafeInteger(number) && number >= 0))
        throw new Error(`${first}-${last}/${total}`);
      if (last < first || (total !== undefined && last >= total)) throw new Error("impossible");
    }
    const waitMs = retryAfterMs(text, WALL_MS);
    if (waitMs !== undefined && !(waitMs >= 1000 && waitMs <= 3_600_000))
      throw new Error(`${waitMs} ms`);
    if (!range && waitMs === undefined) throw new Refused();
  },
};

export const targets: readonly FuzzTarget[] = [webSeed];
