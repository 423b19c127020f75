import { fromHex } from "../../src/base/bytes.ts";
import { addressBytes } from "../../src/base/endpoint.ts";
import type { Infohashes } from "../../src/base/infohash.ts";
import { infohashKey } from "../../src/base/infohash.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { type LogFields, SILENT_LOG } from "../../src/ports/log.ts";
import type { OutsideFault } from "../../src/ports/outside-faults.ts";
import type { Random } from "../../src/ports/random.ts";
import {
  type Admission,
  OPEN_ADMISSION,
  RegisteredAdmission,
} from "../../src/tracker/admission.ts";
import { CompactSwarms, type CompactSwarmsOptions } from "../../src/tracker/compact-swarms.ts";
import { FullScrape } from "../../src/tracker/full-scrape.ts";
import { HttpTracker } from "../../src/tracker/http-tracker.ts";
import { Keyring } from "../../src/tracker/keyring.ts";
import type { PrincipalTotals } from "../../src/tracker/principal-totals.ts";
import type { SwarmTotals } from "../../src/tracker/known-totals.ts";
import { TorrentDirectory } from "../../src/tracker/torrent-directory.ts";
import { Tracker } from "../../src/tracker/tracker.ts";
import { UdpTracker } from "../../src/tracker/udp-tracker.ts";

// A tracker on ports that the test controls, called as plain functions.

/** Timers fire when the test says so; time passes when the test says so. */
export class HandClock implements Clock {
  ms = 1_000_000_000;
  /** How far somebody has set the wall clock forward. */
  jumpMs = 0;
  readonly #fires = new Set<() => void>();
  nowMs = () => this.ms;
  wallMs = () => this.ms + this.jumpMs;
  startTimer(_delayMs: number, fire: () => void) {
    this.#fires.add(fire);
    return { cancel: () => void this.#fires.delete(fire) };
  }
  pass(seconds: number): void {
    this.ms += seconds * 1000;
    const fires = [...this.#fires];
    this.#fires.clear();
    for (const fire of fires) fire();
  }
}

/** The same random numbers for the same seed. */
export function chance(seed: number): Random {
  let state = seed >>> 0;
  const below = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, bytes: (length) => Uint8Array.from({ length }, () => below(256)) };
}

export const SWARM_LIMITS: CompactSwarmsOptions = {
  random: chance(1),
  details: true,
  peerTimeoutS: 1680,
  minIntervalS: 240,
  swarmsMax: 1000,
  peersMax: 1_000_000,
  peersPerSwarmMax: 100_000,
  peersPerAddressMax: 10_000,
  peersPerAddressInSwarmMax: 10_000,
  isShared: () => false,
};

export const HASH = "%aa".repeat(20);
export const TORRENT: Infohashes = { v1: new Uint8Array(20).fill(0xaa) };
export const PEER_ID = "-EV0100-abcdefghijkl";
export const EVERSEED_PORT = 8421;

export interface WorldOptions {
  readonly torrents?: readonly Infohashes[];
  /** Totals of earlier processes, by infohash in hexadecimal. */
  readonly saved?: Readonly<Record<string, SwarmTotals>>;
  readonly open?: boolean;
  readonly keyring?: Keyring;
  /** Replaces the one that `open` chooses. */
  readonly admission?: Admission;
  readonly principalTotals?: Pick<PrincipalTotals, "add" | "flush">;
  readonly everseed?: boolean;
  readonly fullScrape?: boolean;
  readonly requestsPerSecondMax?: number;
  readonly believesClaimsFrom?: (source: Uint8Array) => boolean;
  readonly limits?: Partial<CompactSwarmsOptions>;
}

export function trackerWorld(options: WorldOptions = {}) {
  const clock = new HandClock();
  const directory = new TorrentDirectory({
    key: 3,
    torrents: options.torrents ?? [TORRENT],
    fetched: [],
  });
  const keyring = options.keyring ?? new Keyring();
  const saved = new Map(Object.entries(options.saved ?? {}));
  const disk = { broken: false };
  const swarms = new CompactSwarms({ ...SWARM_LIMITS, random: chance(7), ...options.limits });
  const tracker = new Tracker({
    swarms,
    directory,
    totals: {
      all: () =>
        [...saved].map(([infohash, totals]) => ({ infohash: fromHex(infohash)!, ...totals })),
      save: async (totals) => {
        if (disk.broken) throw new Error("disk full");
        for (const { infohash, ...values } of totals) saved.set(infohashKey(infohash), values);
      },
    },
    everseed: {
      reachedFrom: ({ address, local }) =>
        options.everseed === false
          ? undefined
          : { address: local ?? new Uint8Array(address.length).fill(9), port: EVERSEED_PORT },
    },
    admission:
      options.admission ?? (options.open ? OPEN_ADMISSION : new RegisteredAdmission(keyring)),
    principalTotals: options.principalTotals,
    requestsPerSecondMax: options.requestsPerSecondMax ?? 1_000_000,
    believesClaimsFrom: options.believesClaimsFrom ?? (() => false),
    clock,
    random: chance(5),
    log: SILENT_LOG,
  });
  const policy = {
    intervalS: 720,
    minIntervalS: 240,
    trackerId: "EVERTRACKER",
    warningMessage: "",
  };
  const scrapeOfAll = options.fullScrape && new FullScrape(tracker, { clock, minIntervalS: 240 });
  const http = new HttpTracker(tracker, policy, scrapeOfAll || undefined);
  const faults: [fault: OutsideFault, fields: LogFields | undefined][] = [];
  const udp = new UdpTracker(tracker, {
    intervalS: 720,
    clock,
    random: chance(3),
    faults: { count: (fault, fields) => void faults.push([fault, fields]) },
  });

  /** Answers a GET. @returns The body, one character a byte. */
  function get(target: string, from = "198.51.100.7", local?: string): string {
    const asker = { address: addressBytes(from)!, local: local ? addressBytes(local) : undefined };
    return Buffer.from(http.answer(target, asker).body).toString("latin1");
  }

  /** The same of a full scrape, which takes turns. */
  async function getAll(from = "198.51.100.7"): Promise<string> {
    const asker = { address: addressBytes(from)!, local: undefined };
    const { later } = http.answer("/scrape", asker);
    return Buffer.from((await later) ?? []).toString("latin1");
  }

  /** Announces with the parameters that every client sends; `more` comes last. */
  function announce(port: number, more = "", from?: string): string {
    const counters = more.includes("left=") ? "" : "&left=1000";
    return get(
      `/announce?info_hash=${HASH}&peer_id=${PEER_ID}&port=${port}&uploaded=0&downloaded=0` +
        `${counters}&compact=1${more}`,
      from,
    );
  }

  return {
    clock,
    saved,
    disk,
    swarms,
    tracker,
    http,
    udp,
    faults,
    get,
    getAll,
    announce,
  };
}

/** A number from the text of a bencoded dictionary. */
export function numberAt(text: string, key: string): number | undefined {
  const digits = new RegExp(`${key.length}:${key}i(\\d+)e`).exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The compact IPv4 peers of an answer, as `address:port`. */
export function peersOf(text: string): string[] {
  const found = /5:peers(\d+):/.exec(text);
  if (!found) return [];
  const start = found.index + found[0].length;
  const bytes = Buffer.from(text.slice(start, start + Number(found[1])), "latin1");
  return Array.from({ length: bytes.length / 6 }, (_, index) => {
    const entry = bytes.subarray(index * 6, index * 6 + 6);
    return `${entry.subarray(0, 4).join(".")}:${entry.readUInt16BE(4)}`;
  });
}
