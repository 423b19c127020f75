import { EverseedError } from "../base/errors.ts";
import type { EngineErrorCode } from "./session-contract.ts";

/** The caller asked for something impossible. */
export class EngineError extends EverseedError {
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, detail: string) {
    super(`engine: ${code}: ${detail}`);
    this.code = code;
  }
}
