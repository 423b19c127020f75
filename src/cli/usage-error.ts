import { EverseedError } from "../base/errors.ts";

/** The command line itself is wrong: an option, an argument, a word. */
export class UsageError extends EverseedError {
  readonly code = "wrong-use";
  /** For people: what, then why, as sentences. */
  readonly detail: string;
  readonly hint: string | undefined;

  constructor(detail: string, hint?: string) {
    super(`cli: ${detail}`);
    this.detail = detail;
    this.hint = hint;
  }
}
