import type { LogFields } from "./log.ts";

/** Faults of others, by kind. None is a fault of this program or its machine. */
export type OutsideFault =
  /** Bytes on the web port that are not HTTP, or that break its rules. */
  | "broken-http"
  /** A TLS handshake on the web port, which speaks plain HTTP. */
  | "tls-on-http"
  /** Headers that did not arrive in time. */
  | "slow-request"
  /** A request that ended before its body. */
  | "cut-request"
  /** A reader of a stream that stopped reading. */
  | "stuck-reader"
  /** A reader or a connection below the minimum rate while seats were short. */
  | "slow-reader"
  /** A refused announce or scrape. */
  | "bad-announce"
  /**
   * A packet on the tracker's UDP port that is not a request, or that has a wrong connection id.
   */
  | "bad-datagram"
  /** A peer that broke the protocol. */
  | "bad-peer";

/**
 * Counts the faults of others. They never produce a line at warn or error level, because anyone can
 * cause as many as they like.
 */
export interface OutsideFaults {
  /** @param fields - The address, and the fault. */
  count(fault: OutsideFault, fields?: LogFields): void;
}

/** For tests and for callers that do not listen. */
export const UNCOUNTED: OutsideFaults = { count: () => undefined };
