import { concatBytes, equalBytes, fromLatin1 } from "../../../src/base/bytes.ts";
import { LenientReply } from "../../../src/platform/lenient-reply.ts";
import { PlatformError } from "../../../src/platform/platform-error.ts";
import type { FuzzTarget } from "../target.ts";

const BYTES_MAX = 500;

const CORPUS = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nd1:x0e",
  "HTTP/1.1 100 x\r\n\r\nHTTP/1.0 302 Found\nLocation: /x\n\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
].map(fromLatin1);

/** Reads an input that arrives in parts of `partBytes`. */
function read(input: Uint8Array, partBytes: number): Uint8Array {
  const reply = new LenientReply(BYTES_MAX);
  for (let at = 0; at < input.length; at += partBytes) {
    if (reply.push(input.slice(at, at + partBytes))) break;
  }
  const { status, body } = reply.finish();
  if (status < 200 || status > 599) throw new Error(`status ${status}`);
  return concatBytes(body);
}

const lenientReply: FuzzTarget = {
  name: "tracker's HTTP reply",
  corpus: CORPUS,
  refusals: [PlatformError],
  run(input) {
    const whole = read(input, input.length + 1);
    if (whole.length > BYTES_MAX) throw new Error(`${whole.length} bytes of body`);
    if (!equalBytes(whole, read(input, 3))) throw new Error("it depends on the packets");
  },
};

export const targets: readonly FuzzTarget[] = [lenientReply];
