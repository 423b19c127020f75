import { EverseedError } from "../base/errors.ts";

export type PlatformErrorCode =
  /** Not a URL, or neither http nor https. */
  | "bad-url"
  /** The guard forbids the address (house rule 8). */
  | "address-refused"
  /** No connection, no trustworthy certificate, or no reply in time. */
  | "no-reply"
  | "reply-too-long"
  | "too-many-redirects"
  | "aborted"
  /** A running program holds the state folder. */
  | "locked"
  /** No socket can have so long a path. */
  | "path-too-long"
  /** Something stands in the place of a socket: another program's, or a file. */
  | "place-taken"
  /** Other users could put something of theirs there. */
  | "open-to-others";

/** The machine or the network refused a request. Says what was refused and why. */
export class PlatformError extends EverseedError {
  readonly code: PlatformErrorCode;

  constructor(code: PlatformErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
