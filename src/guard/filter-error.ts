import { EverseedError } from "../base/errors.ts";

export type FilterErrorCode =
  | "not-found"
  /** The file cannot be read. */
  | "not-readable"
  /** It is no list in a form that we read. */
  | "no-list"
  /** There are more ranges than the memory for them. */
  | "too-many";

/** A list of addresses to keep away cannot be used. */
export class FilterError extends EverseedError {
  readonly code: FilterErrorCode;

  constructor(code: FilterErrorCode, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
  }
}
