import type { OutgoingAnnounce } from "../announce/announce-request.ts";
import type { TrackerFailure, TrackerReply } from "../announce/http-reply.ts";
import type { Endpoint } from "../base/endpoint.ts";

/** There was no usable answer: the network failed, time ran out, or the other side is not a tracker. */
export interface Unreachable {
  readonly kind: "unreachable";
  /** For people; it contains no path, because passkeys are there. */
  readonly message: string;
}

/** A reply and its sender. */
export interface ReplyFrom extends TrackerReply {
  /** The address that sent the reply: a guard trusts its peers no further than it (house rule 8). */
  readonly from: string;
}

export type AnnounceOutcome = ReplyFrom | TrackerFailure | Unreachable;

/**
 * Filters the peers of a reply by the address it came from.
 *
 * @returns The peers that may be connected to.
 */
export type JudgePeers = (peers: readonly Endpoint[], from: string) => readonly Endpoint[];

export type AddressFamily = 4 | 6;

/** How an announce goes out, and for whom. */
export interface AnnounceBy {
  readonly family: AddressFamily;
  readonly signal: AbortSignal;
  /** Stands for the torrent, which shares announces at one time with the others. */
  readonly torrent: object;
}

/** One way to talk to trackers. Failures of the network or of a tracker are outcomes, never exceptions. */
export interface Announcer {
  /** @param signal - Aborts at once; the outcome is then `unreachable`. */
  announce(
    trackerUrl: string,
    announce: OutgoingAnnounce,
    by: AnnounceBy,
  ): Promise<AnnounceOutcome>;
}

/** @param address - A literal address. */
export function familyOf(address: string): AddressFamily {
  return address.includes(":") ? 6 : 4;
}
