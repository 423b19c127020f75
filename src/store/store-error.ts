import { EverseedError } from "../base/errors.ts";

export type StoreErrorCode =
  /** The file is damaged or no database. It is left as it is (STO-3). */
  | "unreadable"
  /** Written by a newer Everseed; migrations go forward only. */
  | "newer-schema"
  /** Another program that is at work there knows an older form. */
  | "older-schema"
  | "disk-full"
  | "read-only";

/** The database cannot be used. */
export class StoreError extends EverseedError {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, detail: string, options?: ErrorOptions) {
    super(`store: ${code}: ${detail}`, options);
    this.code = code;
  }
}

// Primary result codes, https://sqlite.org/rescode.html
const RESULT_CODES: ReadonlyMap<number, StoreErrorCode> = new Map([
  [8, "read-only"],
  [11, "unreadable"],
  [13, "disk-full"],
  [14, "unreadable"],
  [26, "unreadable"],
]);

/** @returns What an error of SQLite means for us; `undefined` when it is none of the world's refusals. */
export function storeErrorCode(error: unknown): StoreErrorCode | undefined {
  if (error instanceof StoreError) return error.code;
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  // The low byte is the primary code, above it stands the detail.
  return typeof error.errcode === "number" ? RESULT_CODES.get(error.errcode & 0xff) : undefined;
}
