import { EverseedError } from "../base/errors.ts";

export type ProxyErrorCode =
  /** The text names no proxy that we speak to. */
  | "bad-url"
  /** The proxy wants a name and a password, or others than ours. */
  | "login"
  /** The proxy does not let us through, or did not get through itself. */
  | "refused"
  /** What the proxy sent is no answer of its protocol. */
  | "bad-reply"
  /** The proxy cannot be reached, or went away. */
  | "unreachable";

/** A proxy, or its address, is of no use. Messages hold no secrets (house rule 10). */
export class ProxyError extends EverseedError {
  readonly code: ProxyErrorCode;

  constructor(code: ProxyErrorCode, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
  }
}
