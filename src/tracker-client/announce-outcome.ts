import type { OutgoingAnnounce } from "../announce/announce-request.ts";
import type { TrackerFailure, TrackerReply } from "../announce/http-reply.ts";

/** No answer that can be understood: the network refused, time ran out, or it is no tracker. */
export interface Unreachable {
  readonly kind: "unreachable";
  /** For people; names no path, since passkeys live there. */
  readonly message: string;
}

export type AnnounceOutcome = TrackerReply | TrackerFailure | Unreachable;

export type AddressFamily = 4 | 6;

/** One way to speak to trackers. Never throws for what the world or a tracker does. */
export interface Announcer {
  /** @param signal - Gives up at once; the outcome is `unreachable` then. */
  announce(
    trackerUrl: string,
    announce: OutgoingAnnounce,
    by: { readonly family: AddressFamily; readonly signal: AbortSignal },
  ): Promise<AnnounceOutcome>;
}

/** @param address - Literal. */
export function familyOf(address: string): AddressFamily {
  return address.includes(":") ? 6 : 4;
}
