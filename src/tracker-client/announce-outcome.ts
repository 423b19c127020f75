import type { OutgoingAnnounce } from "../announce/announce-request.ts";
import type { TrackerFailure, TrackerReply } from "../announce/http-reply.ts";
import type { Endpoint } from "../base/endpoint.ts";

/** No answer that can be understood: the network refused, time ran out, or it is no tracker. */
export interface Unreachable {
  readonly kind: "unreachable";
  /** For people; names no path, since passkeys live there. */
  readonly message: string;
}

/** A reply, and who gave it. */
export interface ReplyFrom extends TrackerReply {
  /** The address that the reply came from: a guard trusts its peers no further than it (house rule 8). */
  readonly from: string;
}

export type AnnounceOutcome = ReplyFrom | TrackerFailure | Unreachable;

/**
 * Judges the peers of a reply by the address it came from.
 *
 * @returns Those that may be connected to.
 */
export type JudgePeers = (peers: readonly Endpoint[], from: string) => readonly Endpoint[];

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
