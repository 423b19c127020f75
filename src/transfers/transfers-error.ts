import { EverseedError } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";

export type TransfersErrorCode =
  /** There is no such transfer, file or label. */
  | "not-found"
  /** The beginning of an id, or a name, that several transfers have. */
  | "ambiguous"
  /** The torrent, or a file at the place of another, is here already. */
  | "exists"
  /** What was given is no torrent. */
  | "bad-source"
  /** The server of a URL does not give what it names, now. */
  | "unreachable"
  /** A choice that cannot be carried out. */
  | "bad-choice"
  /** It is stopped, has failed, moves, or waits in the queue. */
  | "not-running"
  | "disk-full"
  | "disk-error"
  /** The node is stopping. */
  | "closed";

/** A request about transfers that cannot be carried out. */
export class TransfersError extends EverseedError {
  readonly code: TransfersErrorCode;
  /** The sentences for people, without the code. */
  readonly detail: string;

  constructor(code: TransfersErrorCode, detail: string, options?: ErrorOptions) {
    super(`transfers: ${code}: ${detail}`, options);
    this.code = code;
    this.detail = detail;
  }
}

/** Describes a refusal of the disk for people; every other error is returned as it is. */
export function asDiskError(error: unknown, what: string): unknown {
  if (error instanceof EverseedError) return error;
  const code = systemCode(error);
  if (code === undefined || !(error instanceof Error)) return error;
  return code === "ENOSPC" || code === "EDQUOT"
    ? new TransfersError("disk-full", `The disk is full: ${what}.`, { cause: error })
    : new TransfersError("disk-error", `The disk refused (${code}): ${what}.`, { cause: error });
}
