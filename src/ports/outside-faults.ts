import type { LogFields } from "./log.ts";

/** What others do wrong, by kind. None of it is a fault of this program or of its machine. */
export type OutsideFault =
  /** Bytes on the web port that are no HTTP, or HTTP that breaks its rules. */
  | "broken-http"
  /** A TLS handshake on the web port, which speaks plain HTTP. */
  | "tls-on-http"
  /** Headers that did not come in time. */
  | "slow-request"
  /** A request that ended before its body did. */
  | "cut-request"
  /** A reader of a stream that took nothing any more. */
  | "stuck-reader"
  /** A reader or a connection that was slower than the least rate while seats were short. */
  | "slow-reader"
  /** An announce or scrape that is refused. */
  | "bad-announce"
  /** A packet on the tracker's UDP port that is no request, or that has a wrong connection id. */
  | "bad-datagram"
  /** A peer that broke the protocol. */
  | "bad-peer";

/** Counts what others do wrong. It is never a line at warn or error level: anybody can cause as much as they like. */
export interface OutsideFaults {
  /** @param fields - The address, and what was wrong. */
  count(fault: OutsideFault, fields?: LogFields): void;
}

/** For tests and for callers that do not listen. */
export const UNCOUNTED: OutsideFaults = { count: () => undefined };
