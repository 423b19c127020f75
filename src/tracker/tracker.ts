import type { AnnounceAnswer } from "../announce/announce-answer.ts";
import { type AnnounceRequest, NUMWANT_DEFAULT } from "../announce/announce-request.ts";
import type { Credential } from "../announce/credential.ts";
import type { ScrapeCounts, ScrapeEntry } from "../announce/http-scrape.ts";
import { toHex } from "../base/bytes.ts";
import { type Infohashes, wireInfohashes } from "../base/infohash.ts";
import { PEER_ID_BYTES } from "../base/peer-id.ts";
import type { Work } from "../base/work.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { Admission, AdmissionQuestion } from "./admission.ts";
import { AnnounceRate } from "./announce-rate.ts";
import { wordsOf } from "./swarm-numbers.ts";
import { PeerAddress } from "./peer-address.ts";
import { type KnownPrincipal, NOBODY, type Principal } from "./principal.ts";
import { Housekeeping } from "./housekeeping.ts";
import { scrapeAll } from "./scrape-all.ts";
import type { PrincipalTotals } from "./principal-totals.ts";
import {
  ADDRESS_QUOTA,
  type Refusal,
  SWARM_FULL,
  TRACKER_FULL,
  UNKNOWN_DEVICE,
  UNKNOWN_PASSKEY,
} from "./refusal.ts";
import { believedAddress } from "./source-address.ts";
import type { TorrentDirectory } from "./torrent-directory.ts";
import type { SwarmTotals } from "./known-totals.ts";
import { OpenTotals, type TotalsStore } from "./swarm-totals.ts";
import {
  type AnnounceEffect,
  NO_SWARM,
  type SampleOptions,
  type SwarmCounts,
  type SwarmStore,
} from "./swarms.ts";

/** Peers in an answer when the request does not say how many. */
const NUMWANT_COMMON = 50;
const TWO_32 = 0x1_0000_0000;
const NO_BYTES = new Uint8Array(0);
const NO_PEERS: Readonly<SwarmCounts> = { seeds: 0, leechers: 0, partialSeeds: 0 };

/** `AdmissionQuestion`, writable here. */
type Question = { -readonly [Key in keyof AdmissionQuestion]: AdmissionQuestion[Key] };

/** Where a request comes from. */
export interface Asker {
  /** 4 or 16 bytes; IPv4-mapped IPv6 becomes IPv4 (TRK-21). */
  readonly address: Uint8Array;
  /** Our address that received the request, where known. */
  readonly local: Uint8Array | undefined;
  /** The request came through a proxy: then no claim about the asker's address is believed (TRK-1). */
  readonly viaProxy?: boolean | undefined;
}

/** The permanent seed of every registered torrent. It sends no announces: it runs in this process. */
export interface VirtualSeed {
  /** @returns Address (of the asker's family) and port for this asker; `undefined` when the asker cannot reach it. */
  reachedFrom(asker: Asker): { readonly address: Uint8Array; readonly port: number } | undefined;
}

export interface TrackerOptions {
  readonly swarms: SwarmStore;
  readonly directory: TorrentDirectory;
  readonly totals: TotalsStore;
  readonly everseed: VirtualSeed;
  /** Decides who takes part in which swarm. */
  readonly admission: Admission;
  /** Receives what members and devices did; without it nothing is recorded for them. */
  readonly principalTotals?: Pick<PrincipalTotals, "add" | "flush"> | undefined;
  /** Sustained announces and scrapes of one address; ten times as many may come at once (TRK-11). */
  readonly requestsPerSecondMax: number;
  /** True when an announce from this address may name another as the peer's (TRK-1). */
  readonly believesClaimsFrom: (source: Uint8Array) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Peer counts of a torrent. The everseed counts as a seed whether its copy is whole or not. */
export interface SwarmFigures {
  readonly seeds: number;
  readonly leechers: number;
  readonly completed: number;
}

/** Decides on announces and scrapes for every protocol. */
export class Tracker {
  readonly #options: TrackerOptions;
  readonly #totals: OpenTotals;
  readonly #counts: SwarmCounts = { seeds: 0, leechers: 0, partialSeeds: 0 };
  readonly #peer = new PeerAddress();
  readonly #rate: AnnounceRate;
  /** Open swarms of torrents in the directory. */
  readonly #registered = new Set<number>();
  /** First infohashes, in hexadecimal, of torrents that the everseed holds only in part. */
  readonly #lacking = new Set<string>();
  readonly #question: Question = {
    act: "announce",
    principal: NOBODY,
    infohash: NO_BYTES,
    standing: "unknown",
    address: NO_BYTES,
    peerId: undefined,
  };
  readonly #house: Housekeeping;

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#totals = new OpenTotals(options.totals, options.random.below(TWO_32), options);
    this.#rate = new AnnounceRate(options.requestsPerSecondMax, options.random);
    this.#house = new Housekeeping({
      clock: options.clock,
      swarmsEnd: () => options.swarms.swarmsEnd,
      sweep: (from, end) => this.#expire(from, end),
      save: () => Promise.all([this.#totals.flush(), options.principalTotals?.flush()]),
    });
    this.#setTime();
  }

  /** Starts to drop silent peers and to save totals. */
  start(): void {
    this.#house.start();
  }

  /** Saves the totals. */
  stop(): Promise<void> {
    return this.#house.stop();
  }

  /** @returns False when this address sent so many requests lately that this one gets no answer (TRK-11). */
  takeTurn(address: Uint8Array): boolean {
    return this.#rate.take(address, this.#options.clock.nowMs());
  }

  /**
   * Decides which address an announce is about.
   *
   * @param claimed - The text of `ip=`; empty when absent.
   */
  believed(claimed: string, source: Uint8Array): Uint8Array {
    if (claimed === "" || !this.#options.believesClaimsFrom(source)) return source;
    return believedAddress(claimed, source);
  }

  /**
   * Identifies the asker.
   *
   * @param credential - What the asker showed; `undefined` makes it nobody.
   */
  identify(credential: Credential | undefined): Principal | Refusal {
    if (!credential) return NOBODY;
    const principal = this.#options.admission.identify(credential);
    if (principal) return principal;
    return credential.kind === "device" ? UNKNOWN_DEVICE : UNKNOWN_PASSKEY;
  }

  /**
   * Records one announce and answers it.
   *
   * @param request - Its credential identifies the asker.
   * @param peersMax - The most peers that the protocol's answer can hold.
   * @param answer - Filled in, unless the request is refused.
   */
  announce(
    request: AnnounceRequest,
    asker: Asker,
    peersMax: number,
    answer: AnnounceAnswer,
  ): Refusal | undefined {
    const { swarms } = this.#options;
    this.#setTime();
    const principal = this.identify(request.credential);
    if ("reason" in principal) return principal;
    const question = this.#question;
    question.act = "announce";
    question.principal = principal;
    question.infohash = request.infohash;
    question.address = asker.address;
    question.peerId = request.peerId;
    const swarm = this.#admit(request.infohashWords);
    if (typeof swarm !== "number") return swarm;
    swarms.expire(swarm);
    const peer = this.#peer;
    peer.set(asker.address, request.port);
    const effect = swarms.announce(swarm, peer, request);
    const refusal = refusalOf(effect);
    if (refusal) {
      this.#closeIfEmpty(swarm);
      return refusal;
    }
    this.#addTotals(swarm, effect);
    if (principal.kind !== "nobody") this.#addPrincipalTotals(swarm, principal, effect);
    answer.reset(peer.entryBytes);
    this.#count(swarm, answer);
    if (effect.outcome === "gone") {
      this.#closeIfEmpty(swarm);
      return undefined;
    }
    const numwant = request.numwant === NUMWANT_DEFAULT ? NUMWANT_COMMON : request.numwant;
    // A partial seed needs no seeds either (BEP 21).
    const forSeed = effect.isSeed || request.event === "paused";
    const peersWanted = Math.min(numwant, peersMax);
    this.#fill(swarm, asker, { peersMax: peersWanted, forSeed, withIds: !request.compact }, answer);
    return undefined;
  }

  /** @returns `undefined` for a torrent untracked here or hidden from this asker. @param address - The asker's address. */
  scrape(
    infohash: Uint8Array,
    principal: Principal,
    address: Uint8Array,
  ): ScrapeCounts | undefined {
    const question = this.#question;
    question.act = "scrape";
    question.principal = principal;
    question.infohash = infohash;
    question.address = address;
    question.peerId = undefined;
    const { swarms, directory, admission } = this.#options;
    const known = swarms.find(wordsOf(infohash));
    const isTracked = known !== NO_SWARM && this.#isTracked(known);
    question.standing = this.#standing(known, isTracked ? undefined : directory.find(infohash));
    return admission.judge(question) ? undefined : this.#scrape(infohash);
  }

  #scrape(infohash: Uint8Array): ScrapeCounts | undefined {
    const { swarms, directory } = this.#options;
    this.#setTime();
    const swarm = swarms.find(wordsOf(infohash));
    if (swarm !== NO_SWARM && this.#isTracked(swarm)) return this.#scrapeOpen(swarm);
    const first = directory.find(infohash)?.[0];
    return first && scrapeCounts(this.#seedCount(first), NO_PEERS, this.#totals.find(first));
  }

  /** All torrents that anyone may scrape (`scrape-all.ts`). */
  scrapeAll(torrentsMax: number): Work<ScrapeEntry[]> {
    const { swarms, directory } = this.#options;
    return scrapeAll(
      {
        swarms,
        directory,
        isTracked: (swarm) => this.#isTracked(swarm),
        scrape: (infohash) => this.scrape(infohash, NOBODY, NO_BYTES),
      },
      torrentsMax,
    );
  }

  /** A registered torrent's figures for pages. */
  figures(infohashes: Infohashes): SwarmFigures {
    const [infohash] = wireInfohashes(infohashes);
    const counts = infohash && this.#scrape(infohash);
    const lacking = infohash ? 1 - this.#seedCount(infohash) : 0;
    return {
      seeds: (counts?.complete ?? 1) + lacking,
      leechers: counts?.incomplete ?? 0,
      completed: counts?.downloaded ?? 0,
    };
  }

  /** A torrent was published: the everseed joins the swarms that an open tracker already had for it. */
  register(infohashes: Infohashes): void {
    const { swarms, directory } = this.#options;
    directory.register(infohashes);
    const wire = wireInfohashes(infohashes);
    const found = wire.map((infohash) => swarms.find(wordsOf(infohash)));
    const open = found.filter((swarm) => swarm !== NO_SWARM);
    for (const swarm of open) {
      // Peers that came by one half of a hybrid while it was fetched now meet the peers of the other half (TRK-24).
      if (open.length < found.length) {
        swarms.join(swarm, wire);
        this.#totals.rename(swarm, wire[0]!);
      }
      this.#registered.add(swarm);
      this.#totals.register(swarm);
    }
  }

  /** Sets whether the everseed's copy of a torrent is whole; without a whole copy it is no seed (HUB-19). */
  setWhole(infohashes: Infohashes, isWhole: boolean): void {
    const first = toHex(wireInfohashes(infohashes)[0]!);
    if (isWhole) this.#lacking.delete(first);
    else this.#lacking.add(first);
  }

  /**
   * A torrent was unpublished. Its peers are dropped, so that nobody learns of them or of the everseed; an open
   * tracker keeps tracking it, as it does any torrent.
   */
  unregister(infohashes: Infohashes): void {
    const { swarms, directory, admission } = this.#options;
    directory.unregister(infohashes);
    this.#setTime();
    // A torrent that comes back counts as whole until it is checked.
    this.setWhole(infohashes, true);
    for (const infohash of wireInfohashes(infohashes)) {
      const swarm = swarms.find(wordsOf(infohash));
      if (swarm === NO_SWARM) continue;
      this.#registered.delete(swarm);
      if (admission.open) continue;
      swarms.clear(swarm);
      this.#closeIfEmpty(swarm);
    }
  }

  /** The hub starts or stops fetching a torrent: its peers meet, and the everseed is not one of them. 20 bytes. */
  setFetched(infohash: Uint8Array, isFetched: boolean): void {
    this.#options.directory.setFetched(infohash, isFetched);
  }

  /**
   * Decides on `#question`, and opens the torrent's swarm when it is admitted.
   *
   * @param words - The infohash in the swarm store's form.
   */
  #admit(words: Int32Array): number | Refusal {
    const { swarms, directory, admission } = this.#options;
    const question = this.#question;
    const known = swarms.find(words);
    const isTracked = known !== NO_SWARM && this.#isTracked(known);
    const torrent = isTracked ? undefined : directory.find(question.infohash);
    question.standing = this.#standing(known, torrent);
    const refusal = admission.judge(question);
    if (refusal) return refusal;
    return isTracked ? known : this.#openSwarm(known, question.infohash, torrent);
  }

  /** @param torrent - The directory's entry; not needed when the swarm is known to be registered. */
  #standing(
    swarm: number,
    torrent: readonly Uint8Array[] | undefined,
  ): AdmissionQuestion["standing"] {
    if (torrent || (swarm !== NO_SWARM && this.#registered.has(swarm))) return "registered";
    return this.#options.directory.isFetched(this.#question.infohash) ? "fetched" : "unknown";
  }

  /** @param known - Its swarm, if that is open already. @param torrent - The directory's entry. */
  #openSwarm(
    known: number,
    infohash: Uint8Array,
    torrent: readonly Uint8Array[] | undefined,
  ): number | Refusal {
    const { swarms } = this.#options;
    if (known !== NO_SWARM) {
      // A torrent being fetched is not registered: the everseed is not its seed yet.
      if (torrent) this.#registered.add(known);
      return known;
    }
    const infohashes = torrent ?? [infohash];
    const swarm = swarms.open(infohashes);
    if (swarm === NO_SWARM) return TRACKER_FULL;
    this.#totals.open(swarm, new Uint8Array(infohashes[0]!), torrent !== undefined);
    if (torrent) this.#registered.add(swarm);
    return swarm;
  }

  /**
   * Opens the swarm of a torrent in a snapshot. Its peers were admitted one by one before the snapshot.
   *
   * @returns `NO_SWARM` when the torrent is no longer tracked.
   */
  admitRestored(infohash: Uint8Array): number {
    const { swarms, directory, admission } = this.#options;
    const torrent = directory.find(infohash);
    if (!torrent && !admission.open && !directory.isFetched(infohash)) return NO_SWARM;
    const swarm = this.#openSwarm(swarms.find(wordsOf(infohash)), infohash, torrent);
    return typeof swarm === "number" ? swarm : NO_SWARM;
  }

  /** False for the swarm of an unpublished torrent, until it can close. */
  #isTracked(swarm: number): boolean {
    return this.#options.admission.open || this.#registered.has(swarm);
  }

  #scrapeOpen(swarm: number): ScrapeCounts {
    const { swarms } = this.#options;
    swarms.expire(swarm);
    swarms.count(swarm, this.#counts);
    return scrapeCounts(this.#everseedCount(swarm), this.#counts, this.#totals.get(swarm));
  }

  #fill(swarm: number, asker: Asker, options: SampleOptions, answer: AnnounceAnswer): void {
    let { peersMax } = options;
    const needsSeeds = !options.forSeed && peersMax > 0;
    if (needsSeeds && this.#registered.has(swarm) && this.#putEverseed(asker, answer)) {
      peersMax -= 1;
    }
    this.#options.swarms.sample(swarm, this.#peer, { ...options, peersMax }, answer);
  }

  #putEverseed(asker: Asker, answer: AnnounceAnswer): boolean {
    const at = this.#options.everseed.reachedFrom(asker);
    if (!at || at.address.length + 2 !== answer.entryBytes) return false;
    const offset = answer.peerCount * answer.entryBytes;
    answer.peers.set(at.address, offset);
    answer.peersView.setUint16(offset + at.address.length, at.port);
    const idAt = answer.peerCount * PEER_ID_BYTES;
    answer.peerIds.fill(0, idAt, idAt + PEER_ID_BYTES);
    answer.peerCount += 1;
    return true;
  }

  #count(swarm: number, answer: AnnounceAnswer): void {
    this.#options.swarms.count(swarm, this.#counts);
    answer.complete = this.#counts.seeds + this.#everseedCount(swarm);
    answer.incomplete = this.#counts.leechers;
    answer.downloaded = this.#totals.get(swarm)?.completed ?? 0;
  }

  #everseedCount(swarm: number): 0 | 1 {
    if (!this.#registered.has(swarm)) return 0;
    if (this.#lacking.size === 0) return 1;
    return this.#seedCount(this.#options.swarms.infohashes(swarm)[0]!);
  }

  /** Counts the everseed of a registered torrent. @param infohash - The torrent's first infohash. */
  #seedCount(infohash: Uint8Array): 0 | 1 {
    return this.#lacking.size > 0 && this.#lacking.has(toHex(infohash)) ? 0 : 1;
  }

  #addTotals(swarm: number, effect: AnnounceEffect): void {
    const { uploaded, downloaded } = effect;
    if (!effect.completed && uploaded === 0 && downloaded === 0) return;
    this.#totals.add(swarm, { completed: effect.completed ? 1 : 0, uploaded, downloaded });
  }

  #addPrincipalTotals(swarm: number, principal: KnownPrincipal, effect: AnnounceEffect): void {
    const { uploaded, downloaded, seededS } = effect;
    const completed = effect.completed ? 1 : 0;
    if (completed + uploaded + downloaded + seededS === 0) return;
    const infohash = this.#options.swarms.infohashes(swarm)[0]!;
    const figures = { completed, uploaded, downloaded, seededS };
    this.#options.principalTotals?.add({ principal, infohash, ...figures });
  }

  #setTime(): void {
    this.#options.swarms.setTime(Math.floor(this.#options.clock.nowMs() / 1000));
  }

  /** Closes empty swarms, so that strangers' swarms do not pile up and ours cost nothing. */
  #expire(from: number, end: number): void {
    const { swarms } = this.#options;
    this.#setTime();
    for (let swarm = from; swarm < end; swarm += 1) {
      if (!swarms.isOpen(swarm)) continue;
      swarms.expire(swarm);
      this.#closeIfEmpty(swarm);
    }
  }

  /** Closes the swarm at once: infohashes that no peer stays for would fill the table of swarms (TRK-10). */
  #closeIfEmpty(swarm: number): void {
    const { swarms } = this.#options;
    swarms.count(swarm, this.#counts);
    if (this.#counts.seeds + this.#counts.leechers > 0) return;
    if (!this.#totals.close(swarm)) return;
    this.#registered.delete(swarm);
    swarms.close(swarm);
  }
}

function scrapeCounts(
  everseeds: number,
  { seeds, leechers, partialSeeds }: Readonly<SwarmCounts>,
  known: SwarmTotals | undefined,
): ScrapeCounts {
  return {
    complete: seeds + everseeds,
    incomplete: leechers,
    downloaded: known?.completed ?? 0,
    downloaders: leechers - partialSeeds,
    uploadedBytes: known?.uploaded ?? 0,
    downloadedBytes: known?.downloaded ?? 0,
  };
}

function refusalOf({ outcome }: AnnounceEffect): Refusal | undefined {
  switch (outcome) {
    case "stored":
    case "gone":
    case "unlisted":
      return undefined;
    case "address-quota":
      return ADDRESS_QUOTA;
    case "swarm-full":
      return SWARM_FULL;
    case "store-full":
      return TRACKER_FULL;
  }
}
