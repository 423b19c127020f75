import { decodeUtf8 } from "../base/bytes.ts";
import { withoutEndZeros } from "./end-zeros.ts";

/** Trackers of one torrent or magnet link (MET-17). */
export const TRACKERS_MAX = 100;

/** Web seeds of one torrent or magnet link (MET-17). */
export const WEB_SEEDS_MAX = 100;

const URL_CHARACTERS_MAX = 2048;

/**
 * Reads a URL from a torrent and removes what some creators leave in it: surrounding white space, trailing zeros,
 * unescaped spaces.
 */
export function urlText(bytes: Uint8Array): string {
  const text = withoutEndZeros(decodeUtf8(bytes.subarray(0, URL_CHARACTERS_MAX * 2)));
  return text.trim().replaceAll(" ", "%20");
}

/** Tells whether this is an announce URL we may contact: http, https, udp, ws or wss, 2 kB at most (MET-17, MET-18). */
export function isTrackerUrl(text: string): boolean {
  return isUrl(text, /^(?:https?|udp|wss?):\/\//i);
}

/** Tells whether content may be fetched from this URL: http or https, 2 kB at most. */
export function isWebSeedUrl(text: string): boolean {
  return isUrl(text, /^https?:\/\//i);
}

function isUrl(text: string, scheme: RegExp): boolean {
  if (text.length > URL_CHARACTERS_MAX || !scheme.test(text)) return false;
  // The URL parser would drop line breaks and tabs instead of refusing them.
  return !/[\u0000-\u0020\u007f-\u009f\ufffd]/.test(text) && URL.canParse(text);
}
