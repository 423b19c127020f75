import { EverseedError } from "../base/errors.ts";

export type AccountsErrorCode =
  | "wrong-password"
  /** Too many wrong tries; `waitMs` says how long to wait. */
  | "wait"
  /** Too many people are signing in at the same moment. */
  | "busy"
  | "wrong-setup-key"
  | "setup-done"
  | "bad-name"
  | "weak-password"
  | "too-many-tokens"
  | "not-found";

/** The caller may not do this, or not yet. The text is fit for people and reveals nothing about other accounts. */
export class AccountsError extends EverseedError {
  readonly code: AccountsErrorCode;
  /** Milliseconds to wait before another try; 0 for none. */
  readonly waitMs: number;

  constructor(code: AccountsErrorCode, message: string, waitMs = 0) {
    super(message);
    this.code = code;
    this.waitMs = waitMs;
  }
}
