import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { AnnounceRequest } from "../../src/announce/announce-request.ts";
import { parseAnnounceQuery } from "../../src/announce/http-request.ts";
import { fromLatin1, toLatin1 } from "../../src/base/bytes.ts";
import { encodeCompact, type Endpoint } from "../../src/base/endpoint.ts";
import type { PeerAddress } from "../../src/base/peer-address.ts";
import type { PeerSourceHandle, SwarmView } from "../../src/engine/session-contract.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { Simulation } from "../../src/sim/simulation.ts";
import { TrackerClient } from "../../src/tracker-client/tracker-client.ts";

export const A = "http://a.example/announce";
export const B = "http://b.example/k3y/announce";
export const PEER: Endpoint = { address: "10.0.0.1", port: 6881 };
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;

interface Heard {
  readonly tracker: string;
  readonly family: 4 | 6 | undefined;
  readonly request: AnnounceRequest;
  readonly trackerId: string | undefined;
  readonly atMs: number;
}

type Reply = Uint8Array | "silent" | "down";

/** Trackers that follow a script, on a clock that the test moves. */
export class ScriptedTrackers {
  readonly clock = new Simulation();
  readonly heard: Heard[] = [];
  readonly offered: PeerAddress[] = [];
  readonly swarm = {
    infohashes: { v1: new Uint8Array(20).fill(1) } as SwarmView["infohashes"],
    isPrivate: false,
    left: 1000,
    wantsPeers: true,
  };
  readonly answers = new Map<string, (request: AnnounceRequest, family?: 4 | 6) => Reply>();
  readonly names = new Map<string, readonly string[]>();
  /** Addresses of trackers that an IP filter names. */
  readonly keptAway = new Set<string>();
  underWay = 0;
  underWayMax = 0;
  readonly client = new TrackerClient({
    clock: this.clock,
    random: seededRandom(1),
    log: SILENT_LOG,
    refusalOf: (address) => (this.keptAway.has(address) ? `kept away: ${address}` : undefined),
    http: { get: (url, { signal, family }) => this.#get(url, family, signal) },
    datagrams: {
      bind: () => Promise.reject(new Error("nobody asked for UDP")),
      resolve: (host) => Promise.resolve(this.names.get(host) ?? ["10.0.0.9"]),
    },
  });

  view(): SwarmView {
    return {
      infohashes: this.swarm.infohashes,
      private: () => this.swarm.isPrivate,
      peerId: fromLatin1("-EV0100-abcdefghijkl"),
      port: () => 6881,
      outerPort: () => 16881,
      stats: () => ({ uploaded: 5, downloaded: 6, left: this.swarm.left }),
      wantsPeers: () => this.swarm.wantsPeers,
      offerPeers: (peers) => this.offered.push(...peers),
    };
  }

  attach(tiers: readonly (readonly string[])[]) {
    const source = this.client.source(tiers);
    assert.ok(source);
    return { source, handle: source.attach(this.view()) };
  }

  /** Lets simulated time pass, with pending promises running in between. */
  async pass(durationMs: number): Promise<void> {
    const hopMs = Math.max(durationMs / 200, 100);
    for (let passedMs = 0; passedMs < durationMs; passedMs += hopMs) {
      await turn();
      this.clock.runFor(hopMs);
    }
    await turn();
  }

  /** Ends the torrent and lets time pass for the goodbyes. */
  async leave(handle: PeerSourceHandle): Promise<void> {
    const goodbyes = handle.detach();
    await this.pass(2 * SECOND_MS);
    await goodbyes;
  }

  /** The events that each tracker received, in order. */
  events(tracker: string): string[] {
    return this.heard.filter((each) => each.tracker === tracker).map((each) => each.request.event);
  }

  async #get(url: string, family: 4 | 6 | undefined, signal: AbortSignal | undefined) {
    const request = new AnnounceRequest();
    const input = fromLatin1(url);
    parseAnnounceQuery(input, { start: url.indexOf("?") + 1, end: input.length }, request);
    const tracker = url.slice(0, url.indexOf("?"));
    const trackerId = /trackerid=([^&]*)/.exec(url)?.[1];
    this.heard.push({ tracker, family, request, trackerId, atMs: this.clock.nowMs() });
    this.underWay += 1;
    this.underWayMax = Math.max(this.underWayMax, this.underWay);
    try {
      await turn();
      const reply = this.answers.get(tracker)?.(request, family) ?? "down";
      if (reply === "down") throw new Error("no program listens there");
      if (reply === "silent") await aborted(signal);
      return { status: 200, body: reply as Uint8Array, from: "10.0.0.9" };
    } finally {
      this.underWay -= 1;
    }
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(new Error("given up")));
  });
}

export function reply(peers: readonly Endpoint[] = [], more = ""): Uint8Array {
  const compact = peers.map((peer) => toLatin1(encodeCompact(peer))).join("");
  return fromLatin1(
    `d8:intervali720e12:min intervali240e5:peers${compact.length}:${compact}${more}e`,
  );
}
