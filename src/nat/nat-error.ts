import { EverseedError } from "../base/errors.ts";

export type NatErrorCode =
  /** A packet that is no answer of NAT-PMP, PCP or SSDP. It is dropped. */
  | "malformed"
  /** A document that is not XML, or uses what we refuse: entities of its own, too many elements, deep nesting. */
  | "bad-xml"
  /** A device description, or an answer of a service, that lacks what it must have. */
  | "bad-answer";

/** A router broke the rules, or something pretends to be one. */
export class NatError extends EverseedError {
  readonly code: NatErrorCode;

  constructor(code: NatErrorCode, detail: string) {
    super(`nat: ${code}: ${detail}`);
    this.code = code;
  }
}

/** @returns `undefined` for junk, which is dropped: anybody in the network can send it. */
export function unlessJunk<Read>(read: () => Read): Read | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NatError) return undefined;
    throw error;
  }
}
