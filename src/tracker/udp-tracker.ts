import { AnnounceAnswer, ANSWER_PEERS_MAX } from "../announce/announce-answer.ts";
import { AnnounceError } from "../announce/announce-error.ts";
import { AnnounceRequest } from "../announce/announce-request.ts";
import {
  encodeUdpAnnounceReply,
  encodeUdpConnectReply,
  encodeUdpError,
  encodeUdpScrapeReply,
  udpPeersMax,
} from "../announce/udp-reply.ts";
import {
  isUdpConnect,
  parseUdpAnnounce,
  parseUdpScrape,
  UDP_ANNOUNCE,
  UDP_HEADER_BYTES,
  UDP_SCRAPE,
} from "../announce/udp-request.ts";
import { readUint32 } from "../base/bytes.ts";
import { addressBytes, type Endpoint } from "../base/endpoint.ts";
import type { Clock } from "../ports/clock.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import type { Random } from "../ports/random.ts";
import { ConnectionIds } from "./connection-ids.ts";
import { NOBODY } from "./principal.ts";
import type { Tracker } from "./tracker.ts";

const TOO_FAST = "too many requests from this address";
const UNKNOWN_ACTION = "unknown action";
const NO_PEERS = { complete: 0, incomplete: 0, downloaded: 0 };

/** The UDP tracker protocol (BEP 15, 41) as a machine: one packet in, at most one out. */
export class UdpTracker {
  readonly #tracker: Tracker;
  readonly #intervalS: number;
  readonly #clock: Clock;
  readonly #ids: ConnectionIds;
  readonly #faults: OutsideFaults;
  readonly #request = new AnnounceRequest();
  readonly #peers = new AnnounceAnswer();

  constructor(
    tracker: Tracker,
    options: {
      readonly intervalS: number;
      readonly clock: Clock;
      readonly random: Random;
      readonly faults: OutsideFaults;
    },
  ) {
    this.#tracker = tracker;
    this.#intervalS = options.intervalS;
    this.#clock = options.clock;
    this.#ids = new ConnectionIds(options.random);
    this.#faults = options.faults;
  }

  /**
   * Answers one packet. A sender that has not proved that it receives our packets gets nothing
   * longer than it sent (house rule 12), and a wrong connection id gets nothing at all (TRK-8,
   * TRK-9). Every packet that is refused or dropped is counted.
   *
   * @param from - In canonical form.
   */
  answer(packet: Uint8Array, from: Endpoint): Uint8Array | undefined {
    if (packet.length < UDP_HEADER_BYTES) return this.#ignore(from);
    const transactionId = readUint32(packet, 12);
    const nowMs = this.#clock.nowMs();
    if (isUdpConnect(packet)) {
      return encodeUdpConnectReply(transactionId, this.#ids.issue(from, nowMs));
    }
    const [high, low] = [readUint32(packet, 0), readUint32(packet, 4)];
    if (!this.#ids.isValid(high, low, from, nowMs)) return this.#ignore(from);
    const source = addressBytes(from.address);
    if (!source) return this.#ignore(from);
    if (!this.#tracker.takeTurn(source)) {
      this.#count(from, TOO_FAST);
      return undefined;
    }
    const reply = this.#answer(packet, transactionId, source);
    if (typeof reply !== "string") return reply;
    this.#count(from, reply);
    return encodeUdpError(transactionId, reply);
  }

  /** @returns The reply, or the text of a refusal. */
  #answer(packet: Uint8Array, transactionId: number, source: Uint8Array): Uint8Array | string {
    try {
      switch (readUint32(packet, 8)) {
        case UDP_ANNOUNCE:
          return this.#announce(packet, transactionId, source);
        case UDP_SCRAPE:
          return this.#scrape(packet, transactionId, source);
        default:
          return UNKNOWN_ACTION;
      }
    } catch (error) {
      if (!(error instanceof AnnounceError)) throw error;
      return error.reason;
    }
  }

  #ignore(from: Endpoint): undefined {
    this.#faults.count("bad-datagram", { address: from.address });
  }

  #count(from: Endpoint, why: string): void {
    this.#faults.count("bad-announce", { address: from.address, why });
  }

  #announce(packet: Uint8Array, transactionId: number, source: Uint8Array): Uint8Array | string {
    const request = this.#request;
    parseUdpAnnounce(packet, request);
    // The packet's family decides the length of an entry in the answer (BEP 15); a claimed address
    // cannot change it.
    const entryBytes = source.length === 4 ? 6 : 18;
    const claimed = source.length === 4 ? request.claimedAddress : "";
    const address = this.#tracker.believed(claimed, source);
    const refusal = this.#tracker.announce(
      request,
      { address, local: undefined },
      Math.min(udpPeersMax(entryBytes), ANSWER_PEERS_MAX),
      this.#peers,
    );
    return refusal?.reason ?? encodeUdpAnnounceReply(transactionId, this.#intervalS, this.#peers);
  }

  /** A scrape has no field for a credential, so its sender is nobody. */
  #scrape(packet: Uint8Array, transactionId: number, source: Uint8Array): Uint8Array {
    const counts = parseUdpScrape(packet).map(
      (infohash) => this.#tracker.scrape(infohash, NOBODY, source) ?? NO_PEERS,
    );
    return encodeUdpScrapeReply(transactionId, counts);
  }
}
