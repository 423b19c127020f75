import { encodeUtf8 } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";

/**
 * Pages: only our own scripts and styles, nothing inline, no framing, no forms to other sites (HUB-5, HUB-16,
 * HUB-17).
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Published files: even opened in a tab, they can run nothing and reach nothing. */
export const FOREIGN_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'";

/** The same for what a browser shows by itself: a film, a sound, a picture, a text. */
export const SHOWN_POLICY =
  "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/** For a page that brings its one style and can reach nothing. */
export function onePageWithStyle(style: string): string {
  const hash = sha256(encodeUtf8(style)).toBase64();
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "no-referrer"],
  ["x-frame-options", "DENY"],
  ["cross-origin-opener-policy", "same-origin"],
  ["cross-origin-resource-policy", "same-origin"],
  ["permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"],
];

/** Adds the headers that every answer carries. An existing policy is kept. */
export function secureHeaders(headers: Headers): void {
  for (const [name, value] of HEADERS) headers.set(name, value);
  if (!headers.has("content-security-policy")) headers.set("content-security-policy", PAGE_POLICY);
}
