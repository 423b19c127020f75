import { EverseedError } from "../base/errors.ts";

export type AccountsErrorCode =
  | "wrong-password"
  /** Too many tries; `waitMs` says for how long. */
  | "wait"
  /** Too many sign-ins at the same moment, by everybody together. */
  | "busy"
  | "wrong-setup-key"
  | "setup-done"
  | "bad-name"
  | "weak-password"
  | "too-many-tokens"
  | "not-found";

/** The caller may not do this, or not yet. The text is fit for people and tells nothing about other accounts. */
export class AccountsError extends EverseedError {
  readonly code: AccountsErrorCode;
  /** Milliseconds until another try makes sense; 0 when at once. */
  readonly waitMs: number;

  constructor(code: AccountsErrorCode, message: string, waitMs = 0) {
    super(message);
    this.code = code;
    this.waitMs = waitMs;
  }
}
