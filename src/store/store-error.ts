import { EverseedError } from "../base/errors.ts";

export type StoreErrorCode =
  /** The file is damaged or not a database. It is not changed (STO-3). */
  | "unreadable"
  /** Written by a newer Everseed; migrations go forward only. */
  | "newer-schema"
  /** Another program that uses the database knows an older schema only. */
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

/** @returns The code for an error of SQLite; `undefined` unless it is a refusal by the environment. */
export function storeErrorCode(error: unknown): StoreErrorCode | undefined {
  if (error instanceof StoreError) return error.code;
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  // The low byte is the primary code, the rest is detail.
  return typeof error.errcode === "number" ? RESULT_CODES.get(error.errcode & 0xff) : undefined;
}
