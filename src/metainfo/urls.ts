import { decodeUtf8 } from "../base/bytes.ts";
import { withoutEndZeros } from "./end-zeros.ts";

/** Of one torrent or magnet link (MET-17). */
export const TRACKERS_MAX = 100;

/** Of one torrent or magnet link (MET-17). */
export const WEB_SEEDS_MAX = 100;

const URL_CHARACTERS_MAX = 2048;

/**
 * A URL as a torrent has it, without what some creators leave in it: white space around it, zeros at its
 * end, spaces that were not escaped.
 */
export function urlText(bytes: Uint8Array): string {
  const text = withoutEndZeros(decodeUtf8(bytes.subarray(0, URL_CHARACTERS_MAX * 2)));
  return text.trim().replaceAll(" ", "%20");
}

/** An announce URL we may speak to: http, https, udp, ws or wss, 2 kB at most (MET-17, MET-18). */
export function isTrackerUrl(text: string): boolean {
  return isUrl(text, /^(?:https?|udp|wss?):\/\//i);
}

/** A URL content may be fetched from: http or https, 2 kB at most. */
export function isWebSeedUrl(text: string): boolean {
  return isUrl(text, /^https?:\/\//i);
}

function isUrl(text: string, scheme: RegExp): boolean {
  if (text.length > URL_CHARACTERS_MAX || !scheme.test(text)) return false;
  // The parser would drop line breaks and tabs instead of refusing them.
  return !/[\u0000-\u0020\u007f-\u009f\ufffd]/.test(text) && URL.canParse(text);
}
