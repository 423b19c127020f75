import { fromLatin1, toLatin1 } from "../base/bytes.ts";
import { percentDecodeInto, type QueryCursor } from "./query.ts";

/**
 * Identifies a client to a tracker through the tracker's URL: by a member's passkey, or by the id that was given to a
 * device. It is a secret: it goes into no log, no error and no answer.
 */
export interface Credential {
  readonly kind: "passkey" | "device";
  /**
   * 16 to 128 letters, digits, `-` and `_`. Empty when the text was anything else, or there was more than one; no
   * principal has an empty credential.
   */
  readonly text: string;
}

const TEXT_BYTES_MAX = 128;
const TEXT = /^[A-Za-z0-9_-]{16,128}$/;

const KINDS: readonly (readonly [name: Uint8Array, kind: Credential["kind"]])[] = [
  [fromLatin1("passkey"), "passkey"],
  [fromLatin1("device"), "device"],
];

/**
 * Reads the current parameter of a query when it is a credential.
 *
 * @param before - The credential found so far.
 * @returns The credential including this parameter.
 * @throws {AnnounceError} `bad-escape`.
 */
export function withParameter(
  cursor: QueryCursor,
  before: Credential | undefined,
): Credential | undefined {
  for (const [name, kind] of KINDS) {
    if (!cursor.named(name)) continue;
    const bytes = new Uint8Array(TEXT_BYTES_MAX);
    const count = percentDecodeInto(cursor.input, cursor, bytes);
    const text = count > TEXT_BYTES_MAX ? "" : toLatin1(bytes.subarray(0, count));
    return joinCredentials(before, { kind, text: TEXT.test(text) ? text : "" });
  }
  return before;
}

/**
 * Joins the credentials from two places of a URL. Two different ones match nobody, because guessing which counts
 * would be wrong.
 */
export function joinCredentials(
  one: Credential | undefined,
  other: Credential | undefined,
): Credential | undefined {
  if (!one || !other) return one ?? other;
  if (one.kind === other.kind && one.text === other.text) return one;
  return { kind: one.kind, text: "" };
}
