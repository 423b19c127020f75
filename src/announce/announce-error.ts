import { EverseedError } from "../base/errors.ts";

export type AnnounceErrorCode =
  | "missing-parameter"
  | "bad-parameter"
  | "repeated-parameter"
  | "bad-escape"
  | "too-many-parameters"
  | "too-long"
  | "bad-packet"
  | "bad-reply"
  | "bad-url";

/** The other side of a tracker conversation broke its rules, or a tracker's URL is none. */
export class AnnounceError extends EverseedError {
  readonly code: AnnounceErrorCode;
  /** For people: a tracker sends it as the `failure reason`. Holds nothing the other side sent. */
  readonly reason: string;

  constructor(code: AnnounceErrorCode, reason: string, options?: ErrorOptions) {
    super(`announce: ${code}: ${reason}`, options);
    this.code = code;
    this.reason = reason;
  }
}
