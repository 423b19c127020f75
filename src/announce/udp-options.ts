import { concatBytes, toLatin1 } from "../base/bytes.ts";
import { AnnounceError } from "./announce-error.ts";

// Options after an announce (BEP 41): end and nop are one byte, all others have a length byte.

const END = 0;
const NOP = 1;
const URL_DATA = 2;
const OPTION_BYTES_MAX = 255;
/** Bytes of path and query: no tracker uses longer URLs. */
const URL_BYTES_MAX = 2048;

/** @param url - Path and query of the tracker's URL. Over 255 bytes it takes several options. */
export function encodeUrlOptions(url: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  do {
    const part = url.subarray(at, at + OPTION_BYTES_MAX);
    parts.push(new Uint8Array([URL_DATA, part.length]), part);
    at += part.length;
  } while (at < url.length);
  return concatBytes(parts);
}

/**
 * Joins the URL options of a packet. A truncated option ends the walk, because the announce before it was complete.
 * Unknown options are skipped.
 *
 * @param offset - The offset of the options.
 * @returns Path and query, one character per byte; empty when there is none.
 * @throws {AnnounceError} `too-long` for more than 2048 bytes, because a cut URL would be another URL.
 */
export function parseUrlOptions(packet: Uint8Array, offset: number): string {
  let url = "";
  let at = offset;
  while (at < packet.length && packet[at] !== END) {
    if (packet[at] === NOP) {
      at += 1;
      continue;
    }
    const start = at + 2;
    const end = start + (packet[at + 1] ?? packet.length);
    if (end > packet.length) break;
    if (packet[at] === URL_DATA) {
      if (url.length + end - start > URL_BYTES_MAX) {
        throw new AnnounceError("too-long", `the URL is longer than ${URL_BYTES_MAX} bytes`);
      }
      url += toLatin1(packet.subarray(start, end));
    }
    at = end;
  }
  return url;
}
