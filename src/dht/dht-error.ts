import { EverseedError } from "../base/errors.ts";

export type DhtErrorCode =
  /** A packet that is no message of BEP 5. It is dropped and not answered (DHT-1). */
  | "malformed"
  /** A value that BEP 44 or 46 does not allow. */
  | "bad-item"
  /** Saved state that cannot be read. */
  | "bad-state";

/** The other side broke the rules, or the caller gave nonsense. */
export class DhtError extends EverseedError {
  readonly code: DhtErrorCode;

  constructor(code: DhtErrorCode, detail: string, options?: ErrorOptions) {
    super(`dht: ${code}: ${detail}`, options);
    this.code = code;
  }
}
