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

/** The other side broke the tracker protocol, or a tracker's URL is invalid. */
export class AnnounceError extends EverseedError {
  readonly code: AnnounceErrorCode;
  /** For people: a tracker sends it as the `failure reason`. It contains nothing the other side sent. */
  readonly reason: string;

  constructor(code: AnnounceErrorCode, reason: string, options?: ErrorOptions) {
    super(`announce: ${code}: ${reason}`, options);
    this.code = code;
    this.reason = reason;
  }
}
