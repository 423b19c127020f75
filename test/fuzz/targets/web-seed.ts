import { concatBytes, decodeUtf8, equalBytes, fromLatin1 } from "../../../src/base/bytes.ts";
import { parseContentRange } from "../../../src/base/content-range.ts";
import { retryAfterMs } from "../../../src/base/retry-after.ts";
import { PlatformError } from "../../../src/platform/platform-error.ts";
import { RangeReply } from "../../../src/platform/range-reply.ts";
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

interface ReadReply {
  readonly status: number;
  readonly body: Uint8Array;
  readonly isDone: boolean;
}

/** Reads an input that arrives in parts of `partBytes`. */
function read(input: Uint8Array, partBytes: number): ReadReply {
  let status = 0;
  const body: Uint8Array[] = [];
  const reply = new RangeReply({
    handleHead: (head) => (status = head.status),
    handleBody: (bytes) => void body.push(bytes.slice()),
  });
  for (let at = 0; at < input.length && !reply.isDone; at += partBytes) {
    reply.push(input.slice(at, at + partBytes));
  }
  return { status, body: concatBytes(body), isDone: reply.isDone };
}

const rangeReply: FuzzTarget = {
  name: "web-seed-reply",
  corpus: [
    "HTTP/1.1 206 P\r\nContent-Range: bytes 0-4/9\r\nContent-Length: 5\r\n\r\nabcde",
    "HTTP/1.1 100 x\r\n\r\nHTTP/1.0 302 Found\nLocation: /x\n\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
  ].map(fromLatin1),
  refusals: [PlatformError, Refused],
  run(input) {
    const whole = read(input, input.length + 1);
    if (whole.status === 0) throw new Refused();
    if (whole.status < 200 || whole.status > 599) throw new Error(`status ${whole.status}`);
    if (whole.body.length > input.length) throw new Error("more than there is");
    const parts = read(input, 3);
    const isSame = whole.status === parts.status && whole.isDone === parts.isDone;
    if (!isSame || !equalBytes(whole.body, parts.body))
      throw new Error("it depends on the packets");
  },
};

export const targets: readonly FuzzTarget[] = [webSeed, rangeReply];
