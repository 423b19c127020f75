import { fromLatin1, toLatin1 } from "../base/bytes.ts";
import { percentDecodeInto, type QueryCursor } from "./query.ts";

/**
 * What somebody shows a tracker of who they are, as it stands in the tracker's URL: the passkey of a member, or the id that
 * was given to a device. It is a secret: it goes into no log, no error and no answer.
 */
export interface Credential {
  readonly kind: "passkey" | "device";
  /** 16 to 128 letters, digits, `-` and `_`; empty when something else was shown, or more than one, which nobody has. */
  readonly text: string;
}

const TEXT_BYTES_MAX = 128;
const TEXT = /^[A-Za-z0-9_-]{16,128}$/;

const KINDS: readonly (readonly [name: Uint8Array, kind: Credential["kind"]])[] = [
  [fromLatin1("passkey"), "passkey"],
  [fromLatin1("device"), "device"],
];

/**
 * Reads the parameter that a query is at, when it is a credential.
 *
 * @param before - The credential that was read until now.
 * @returns The credential from now on.
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

/** Two places of a URL may show the same credential. Two that differ are nobody's: which of them counts is not guessed. */
export function joinCredentials(
  one: Credential | undefined,
  other: Credential | undefined,
): Credential | undefined {
  if (!one || !other) return one ?? other;
  if (one.kind === other.kind && one.text === other.text) return one;
  return { kind: one.kind, text: "" };
}
