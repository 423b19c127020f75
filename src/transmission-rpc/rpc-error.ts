import { EverseedError } from "../base/errors.ts";

export type RpcErrorCode =
  /** The request is none, or an argument has a wrong type or value. */
  | "bad-request"
  | "unknown-method"
  /** Transmission does it, and this node does not. */
  | "not-here"
  | "too-large";

/** A request that is not carried out. Nothing has changed. */
export class RpcError extends EverseedError {
  readonly code: RpcErrorCode;
  /** The sentence for people, without the code: the `result` of the answer. */
  readonly detail: string;

  constructor(code: RpcErrorCode, detail: string) {
    super(`transmission-rpc: ${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
  }
}

/** For what Transmission does and this node does not. */
export function notHere(detail: string): RpcError {
  return new RpcError("not-here", detail);
}
