import { EverseedError } from "../base/errors.ts";

export type BencodeErrorCode =
  /** The input ends inside a value. */
  | "truncated"
  /** Bytes follow the value. */
  | "trailing-bytes"
  /** A byte that cannot start a value. */
  | "unexpected-byte"
  /** An integer in a form that BEP 3 does not allow, or with too many digits. */
  | "bad-integer"
  /** The length of a byte string is malformed, or has too many digits. */
  | "bad-length"
  /** A dictionary key is not a byte string. */
  | "bad-key"
  | "unsorted-keys"
  | "duplicate-key"
  | "too-deep"
  | "too-many-items"
  | "too-long";

/** The input is not the bencode that was asked for. */
export class BencodeError extends EverseedError {
  readonly code: BencodeErrorCode;
  /** Offset of the first byte that breaks the grammar. */
  readonly offset: number;

  constructor(code: BencodeErrorCode, offset: number, detail?: string) {
    super(`bencode: ${code} at byte ${offset}${detail === undefined ? "" : `: ${detail}`}`);
    this.code = code;
    this.offset = offset;
  }
}
