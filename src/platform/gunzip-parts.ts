import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";

/**
 * Unpacks what comes in parts, and never holds more than a few of them.
 *
 * @throws (rejects with) the system's error, which carries `code`, when it is no gzip or ends early.
 */
export function gunzipParts(packed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const gunzip = createGunzip();
  // Whoever reads gets the error; here nobody waits for it.
  pipeline(Readable.from(packed, { objectMode: false }), gunzip, () => undefined);
  return gunzip;
}
