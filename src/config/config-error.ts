import { EverseedError } from "../base/errors.ts";

export type ConfigErrorCode = "bad-yaml" | "unknown-key" | "bad-value";

/** The configuration cannot be used. `detail` says where, what is wrong and what is allowed. */
export class ConfigError extends EverseedError {
  readonly code: ConfigErrorCode;
  /** The sentence for people, without the code. */
  readonly detail: string;
  readonly hint: string;

  constructor(code: ConfigErrorCode, detail: string, hint: string) {
    super(`config: ${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
    this.hint = hint;
  }
}
