import { SITE_BITS } from "../base/address-line.ts";
import type { AnnounceAnswer } from "../announce/announce-answer.ts";
import type { AnnounceRequest } from "../announce/announce-request.ts";
import { writeUint32 } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import { PEER_ID_BYTES } from "../base/peer-id.ts";
import type { Random } from "../ports/random.ts";
import { AddressShares, type AddressSharesOptions } from "./address-shares.ts";
import { AnswerAddresses } from "./answer-addresses.ts";
import { PeerAddress } from "./peer-address.ts";
import {
  DETAIL_WORDS,
  DOWNLOADED_AT,
  grownBy,
  hasPeerId,
  isEcho,
  isSameClient,
  keepCounters,
  keepIdentity,
  markEcho,
  PEER_ID_WORDS,
  readCounter,
  UPLOADED_AT,
} from "./peer-details.ts";
import { PeerTable } from "./peer-table.ts";
import {
  COMPLETED,
  flagsOf,
  IDLE_TICKS_MAX,
  idleTicks,
  PARTIAL_SEED,
  peerWord,
  portOf,
  SEED,
  TICK_S,
} from "./peer-word.ts";
import { SwarmNumbers } from "./swarm-numbers.ts";
import {
  type AnnounceEffect,
  NO_SWARM,
  type SampleOptions,
  type StoredPeer,
  type SwarmCounts,
  type SwarmStore,
} from "./swarms.ts";
import { WaitingEntries } from "./waiting-entries.ts";

export interface CompactSwarmsOptions extends AddressSharesOptions {
  readonly random: Random;
  /** Keeps peer ids, keys and byte counters, for 40 more bytes a peer. Without them an IPv4 peer takes 8. */
  readonly details: boolean;
  /** A peer silent for longer than this is dropped. */
  readonly peerTimeoutS: number;
  /** An announce sooner than this after the last one is early. */
  readonly minIntervalS: number;
  readonly swarmsMax: number;
  readonly peersMax: number;
  readonly peersPerSwarmMax: number;
}

/** The fastest line a peer can have: 10 Gbit/s (TRK-5). */
const LINE_BYTES_PER_S = 1_250_000_000;
/** Slots examined for one answer. A seed in a large swarm of almost nothing but seeds gets fewer peers. */
const SCAN_MAX = 8_192;
/** A limit on silence that every peer exceeds. */
const ANY_TICKS = -1;
const INITIAL_SWARMS = 1024;

/** `AnnounceEffect`, writable here. */
type Effect = { -readonly [Key in keyof AnnounceEffect]: AnnounceEffect[Key] };

/** The swarms of one tracker in typed arrays, with no object per peer or per swarm. */
export class CompactSwarms implements SwarmStore {
  readonly #options: CompactSwarmsOptions;
  readonly #numbers: SwarmNumbers;
  readonly #ipv4: PeerTable;
  readonly #ipv6: PeerTable;
  readonly #shares: AddressShares;
  /** For `sample`: the addresses the answer already names, and the peers deferred because of it. */
  readonly #namedSites = new AnswerAddresses(SITE_BITS);
  readonly #named = new AnswerAddresses();
  readonly #ofNamedSites = new WaitingEntries();
  readonly #ofNamedAddresses = new WaitingEntries();
  readonly #timeoutTicks: number;
  /** By swarm, both families together. */
  #seeds = new Int32Array(0);
  #partialSeeds = new Int32Array(0);
  #expiredAt = new Int32Array(0);
  #peerCount = 0;
  #tick = 0;
  readonly #effect: Effect = {
    outcome: "stored",
    early: false,
    isSeed: false,
    completed: false,
    uploaded: 0,
    downloaded: 0,
    seededS: 0,
  };

  constructor(options: CompactSwarmsOptions) {
    const { random, details } = options;
    const key = (): number => random.below(2 ** 32);
    const detailWords = details ? DETAIL_WORDS : 0;
    this.#options = options;
    this.#numbers = new SwarmNumbers(key());
    this.#ipv4 = new PeerTable({ addressWords: 1, detailWords, key: key() });
    this.#ipv6 = new PeerTable({ addressWords: 4, detailWords, key: key() });
    this.#shares = new AddressShares(options, key);
    this.#timeoutTicks = Math.min(Math.ceil(options.peerTimeoutS / TICK_S), IDLE_TICKS_MAX);
    this.#grow(INITIAL_SWARMS);
  }

  get peerCount(): number {
    return this.#peerCount;
  }

  get swarmCount(): number {
    return this.#numbers.count;
  }

  get swarmsEnd(): number {
    return this.#numbers.end;
  }

  setTime(nowS: number): void {
    this.#tick = Math.floor(nowS / TICK_S);
  }

  find(infohash: Int32Array): number {
    return this.#numbers.find(infohash);
  }

  open(infohashes: readonly Uint8Array[]): number {
    if (this.swarmCount >= this.#options.swarmsMax) return NO_SWARM;
    const swarm = this.#numbers.open(infohashes);
    if (swarm >= this.#seeds.length) this.#grow(this.#seeds.length * 2);
    this.#seeds[swarm] = 0;
    this.#partialSeeds[swarm] = 0;
    this.#expiredAt[swarm] = this.#tick;
    return swarm;
  }

  join(swarm: number, infohashes: readonly Uint8Array[]): void {
    this.#numbers.join(swarm, infohashes);
  }

  close(swarm: number): void {
    invariant(
      this.isOpen(swarm) && this.#total(swarm) === 0,
      "only open swarms without peers are closed",
    );
    this.#numbers.close(swarm);
  }

  isOpen(swarm: number): boolean {
    return this.#numbers.isOpen(swarm);
  }

  infohashes(swarm: number): readonly Uint8Array[] {
    return this.#numbers.infohashes(swarm);
  }

  announce(swarm: number, peer: PeerAddress, request: AnnounceRequest): AnnounceEffect {
    const effect = this.#effect;
    effect.outcome = "stored";
    effect.early = false;
    effect.completed = false;
    effect.uploaded = 0;
    effect.downloaded = 0;
    effect.seededS = 0;
    const table = this.#tableOf(peer.wordCount);
    const isKnown = table.locate(swarm, peer.words, peer.port);
    const { event } = request;
    effect.isSeed =
      request.left === 0 && (event === "completed" || (isKnown && event !== "started"));
    if (event === "stopped") {
      effect.outcome = "gone";
      if (isKnown) {
        this.#measure(table, request);
        const before = flagsOf(table.page[table.entry + table.addressWords]!);
        // Some clients (aria2) finish the last piece, quit, and send only `stopped`.
        this.#effect.completed =
          (before & (SEED | COMPLETED)) === 0 &&
          request.left === 0 &&
          request.downloaded > 0 &&
          !this.#isEcho(table);
        this.#forgetLocated(swarm, table);
        table.shrink(swarm);
      }
      return effect;
    }
    if (isKnown) this.#renew(swarm, table, request);
    else effect.outcome = this.#add(swarm, peer, request);
    return effect;
  }

  sample(swarm: number, asker: PeerAddress, options: SampleOptions, answer: AnnounceAnswer): void {
    const table = this.#tableOf(asker.wordCount);
    const slots = table.slots(swarm);
    let wanted = Math.min(options.peersMax, table.count(swarm));
    if (slots === 0 || wanted === 0) return;
    if (options.forSeed && this.#total(swarm) === this.#seeds[swarm]) return;
    // The choice is random, but a client that asks again too early gets the same answer, so that a storm of announces
    // cannot collect the whole swarm (TRK-11).
    const chance = table.locate(swarm, asker.words, asker.port)
      ? table.locatedHash()
      : this.#options.random.below(2 ** 32);
    const start = table.open(swarm);
    const { page, wordsPerEntry, addressWords } = table;
    const unwanted = options.forSeed ? SEED | PARTIAL_SEED : 0;
    const [ofSites, ofAddresses] = [this.#ofNamedSites, this.#ofNamedAddresses];
    for (const part of [this.#namedSites, this.#named, ofSites, ofAddresses]) part.clear();
    let slot = Math.floor((chance / 2 ** 32) * slots);
    for (let looks = Math.min(slots, SCAN_MAX); looks > 0 && wanted > 0; looks -= 1) {
      const entry = start + slot * wordsPerEntry;
      slot = slot + 1 === slots ? 0 : slot + 1;
      const word = page[entry + addressWords]!;
      if (word === 0 || (word & unwanted) !== 0) continue;
      if (idleTicks(word, this.#tick) > this.#timeoutTicks) continue;
      if (portOf(word) === asker.port && isAddress(page, entry, asker)) continue;
      if (this.#namedSites.add(page, entry, addressWords)) {
        this.#named.add(page, entry, addressWords);
        this.#put(answer, { page, entry, addressWords }, options.withIds);
        wanted -= 1;
      } else {
        // An IPv4 site is a single address, so its entries wait as a site.
        (addressWords > 1 ? ofSites : ofAddresses).push(entry);
      }
    }
    // Repeats get the places left over, so that no site or address crowds out the others (TRK-23, TRK-10).
    for (let i = 0; i < ofSites.count && wanted > 0; i += 1) {
      const entry = ofSites.entries[i]!;
      if (this.#named.add(page, entry, addressWords)) {
        this.#put(answer, { page, entry, addressWords }, options.withIds);
        wanted -= 1;
      } else {
        ofAddresses.push(entry);
      }
    }
    for (let i = 0; i < ofAddresses.count && wanted > 0; i += 1, wanted -= 1) {
      const entry = ofAddresses.entries[i]!;
      this.#put(answer, { page, entry, addressWords }, options.withIds);
    }
  }

  count(swarm: number, counts: SwarmCounts): void {
    counts.seeds = this.#seeds[swarm]!;
    counts.leechers = this.#total(swarm) - counts.seeds;
    counts.partialSeeds = this.#partialSeeds[swarm]!;
  }

  expire(swarm: number): void {
    // Often enough to keep counts accurate to an eighth of the time that a silent peer stays.
    const dueTicks = Math.max(1, this.#timeoutTicks >> 3);
    if (this.#tick - this.#expiredAt[swarm]! < dueTicks) return;
    this.#expiredAt[swarm] = this.#tick;
    this.#forgetIdle(swarm, this.#ipv4, this.#timeoutTicks);
    this.#forgetIdle(swarm, this.#ipv6, this.#timeoutTicks);
  }

  clear(swarm: number): void {
    this.#forgetIdle(swarm, this.#ipv4, ANY_TICKS);
    this.#forgetIdle(swarm, this.#ipv6, ANY_TICKS);
  }

  *peers(swarm: number): Iterable<StoredPeer> {
    for (const table of [this.#ipv4, this.#ipv6]) {
      const { addressWords, wordsPerEntry } = table;
      const slots = table.slots(swarm);
      if (slots === 0) continue;
      const start = table.open(swarm);
      const { page } = table;
      for (let slot = 0; slot < slots; slot += 1) {
        const entry = start + slot * wordsPerEntry;
        const word = page[entry + addressWords]!;
        if (word === 0) continue;
        const address = new Uint8Array(addressWords * 4);
        for (let i = 0; i < addressWords; i += 1) writeUint32(address, i * 4, page[entry + i]!);
        yield {
          address,
          port: portOf(word),
          flags: flagsOf(word),
          idleS: idleTicks(word, this.#tick) * TICK_S,
          details: page.slice(entry + addressWords + 1, entry + wordsPerEntry),
        };
      }
    }
  }

  restore(swarm: number, peer: StoredPeer): boolean {
    const { address, port } = peer;
    const flags = flagsOf(peer.flags);
    const ticks = Math.floor(peer.idleS / TICK_S);
    // A zero word marks an empty slot, so no peer may have port 0. NaN fails the time check as well.
    if (port === 0 || !(ticks >= 0 && ticks <= this.#timeoutTicks)) return false;
    const at = new PeerAddress();
    at.set(address, port);
    const table = this.#tableOf(at.wordCount);
    if (table.locate(swarm, at.words, port)) return false;
    if (this.#roomFor(swarm, at) !== "stored") return false;
    if (!table.insert(swarm, at.words, peerWord(port, flags, this.#tick - ticks))) return false;
    this.#join(swarm, at, flags);
    const target = table.entry + table.addressWords + 1;
    const details = peer.details.subarray(0, table.entry + table.wordsPerEntry - target);
    table.page.set(details, target);
    return true;
  }

  #add(swarm: number, peer: PeerAddress, request: AnnounceRequest): AnnounceEffect["outcome"] {
    const room = this.#roomFor(swarm, peer);
    if (room !== "stored") return room;
    const table = this.#tableOf(peer.wordCount);
    // A peer that arrives as a seed completed elsewhere, or before we forgot it: do not count it now. Count it later
    // if it turns out to have had only a magnet link.
    const flags = this.#flags(request);
    if (!table.insert(swarm, peer.words, peerWord(peer.port, flags, this.#tick))) {
      return "swarm-full";
    }
    this.#join(swarm, peer, flags);
    this.#keepDetails(table, request);
    if (this.#options.details && this.#isInOtherFamily(swarm, peer, request)) {
      markEcho(table.page, table.entry + table.addressWords + 1);
    }
    return "stored";
  }

  /** Renews the located peer. */
  #renew(swarm: number, table: PeerTable, request: AnnounceRequest): void {
    const { page, entry, addressWords } = table;
    const before = page[entry + addressWords]!;
    const wasFlags = flagsOf(before);
    const early =
      (idleTicks(before, this.#tick) + 1) * TICK_S <= this.#options.minIntervalS &&
      request.event === "none" &&
      (request.left === 0) === ((wasFlags & SEED) !== 0);
    this.#effect.early = early;
    if (early) return;
    const flags = (wasFlags & COMPLETED) | this.#flags(request);
    this.#effect.completed =
      request.event === "completed" &&
      request.left === 0 &&
      (wasFlags & (SEED | COMPLETED)) === 0 &&
      !this.#isEcho(table);
    this.#seeds[swarm]! += bit(flags, SEED) - bit(wasFlags, SEED);
    this.#partialSeeds[swarm]! += bit(flags, PARTIAL_SEED) - bit(wasFlags, PARTIAL_SEED);
    this.#measure(table, request);
    page[entry + addressWords] = peerWord(portOf(before), flags, this.#tick);
    this.#keepDetails(table, request);
  }

  /** Call it after setting `isSeed` of the effect. */
  #flags(request: AnnounceRequest): number {
    if (request.left > 0) return request.event === "paused" ? PARTIAL_SEED : 0;
    return this.#effect.isSeed ? SEED | COMPLETED : SEED;
  }

  #roomFor(swarm: number, peer: PeerAddress): AnnounceEffect["outcome"] {
    const { peersMax, peersPerSwarmMax } = this.#options;
    if (this.#peerCount >= peersMax) return "store-full";
    if (this.#total(swarm) >= peersPerSwarmMax) return "swarm-full";
    return this.#shares.roomFor(swarm, peer);
  }

  #join(swarm: number, peer: PeerAddress, flags: number): void {
    this.#peerCount += 1;
    this.#seeds[swarm]! += bit(flags, SEED);
    this.#partialSeeds[swarm]! += bit(flags, PARTIAL_SEED);
    this.#shares.add(swarm, peer.words, 0, peer.wordCount);
  }

  #forgetLocated(swarm: number, table: PeerTable): void {
    const { page, entry, addressWords } = table;
    const flags = flagsOf(page[entry + addressWords]!);
    this.#peerCount -= 1;
    this.#seeds[swarm]! -= bit(flags, SEED);
    this.#partialSeeds[swarm]! -= bit(flags, PARTIAL_SEED);
    this.#shares.remove(swarm, page, entry, addressWords);
    table.removeLocated(swarm);
  }

  /** Forgets peers that were silent for longer than `ticksMax`. */
  #forgetIdle(swarm: number, table: PeerTable, ticksMax: number): void {
    if (table.count(swarm) === 0) return;
    const start = table.open(swarm);
    const { page, wordsPerEntry, addressWords } = table;
    let slot = 0;
    // A removal moves another peer into this slot or shortens the list, so look at the slot again.
    while (slot < table.slots(swarm)) {
      const entry = start + slot * wordsPerEntry;
      const word = page[entry + addressWords]!;
      if (word === 0 || idleTicks(word, this.#tick) <= ticksMax) {
        slot += 1;
        continue;
      }
      table.entry = entry;
      this.#forgetLocated(swarm, table);
    }
    table.shrink(swarm);
  }

  /**
   * What the located peer did since its last announce. A different program at the same address and port has no
   * earlier counters to compare with (BEP 3: they count from its `started`).
   */
  #measure(table: PeerTable, request: AnnounceRequest): void {
    if (!this.#options.details || this.#isEcho(table)) return;
    const { page, entry, addressWords } = table;
    const details = entry + addressWords + 1;
    if (!hasPeerId(page, details, request)) return;
    const word = page[entry + addressWords]!;
    const ticks = Math.min(idleTicks(word, this.#tick), this.#timeoutTicks);
    const most = (ticks + 1) * TICK_S * LINE_BYTES_PER_S;
    const uploaded = grownBy(readCounter(page, details + UPLOADED_AT), request.uploaded);
    const downloaded = grownBy(readCounter(page, details + DOWNLOADED_AT), request.downloaded);
    this.#effect.uploaded = Math.min(uploaded, most);
    this.#effect.downloaded = Math.min(downloaded, most);
    // Ignore a `left=0` that was taken back: it proved nothing. See `isSeed`.
    const wasSeed = (flagsOf(word) & SEED) !== 0;
    if (wasSeed && request.left === 0) this.#effect.seededS = ticks * TICK_S;
  }

  #keepDetails(table: PeerTable, request: AnnounceRequest): void {
    if (!this.#options.details) return;
    const { page } = table;
    const details = table.entry + table.addressWords + 1;
    keepIdentity(page, details, request);
    if (!this.#isEcho(table)) keepCounters(page, details, request);
  }

  /** True when the located peer is listed and counted as a peer, but its activity counts under its other address. */
  #isEcho({ page, entry, addressWords }: PeerTable): boolean {
    return this.#options.details && isEcho(page, entry + addressWords + 1);
  }

  /** True when this client also has an entry with an address of the other family (BEP 7). */
  #isInOtherFamily(swarm: number, peer: PeerAddress, request: AnnounceRequest): boolean {
    const table = peer.wordCount === 1 ? this.#ipv6 : this.#ipv4;
    if (request.key === 0 || table.count(swarm) === 0) return false;
    const { addressWords, wordsPerEntry } = table;
    const start = table.open(swarm);
    const end = start + Math.min(table.slots(swarm), SCAN_MAX) * wordsPerEntry;
    for (let entry = start; entry < end; entry += wordsPerEntry) {
      const word = table.page[entry + addressWords];
      const details = entry + addressWords + 1;
      if (word !== 0 && isSameClient(table.page, details, request)) return true;
    }
    return false;
  }

  #put(
    answer: AnnounceAnswer,
    from: { page: Int32Array; entry: number; addressWords: number },
    withIds: boolean,
  ): void {
    const { page, entry, addressWords } = from;
    const { peersView, peerCount, entryBytes } = answer;
    const at = peerCount * entryBytes;
    for (let i = 0; i < addressWords; i += 1) peersView.setInt32(at + i * 4, page[entry + i]!);
    peersView.setUint16(at + addressWords * 4, portOf(page[entry + addressWords]!));
    answer.peerCount = peerCount + 1;
    if (!withIds) return;
    const idAt = peerCount * PEER_ID_BYTES;
    for (let i = 0; i < PEER_ID_WORDS; i += 1) {
      const word = this.#options.details ? page[entry + addressWords + 1 + i]! : 0;
      writeUint32(answer.peerIds, idAt + i * 4, word);
    }
  }

  #total(swarm: number): number {
    return this.#ipv4.count(swarm) + this.#ipv6.count(swarm);
  }

  #tableOf(addressWords: 1 | 4): PeerTable {
    return addressWords === 1 ? this.#ipv4 : this.#ipv6;
  }

  #grow(swarmsMax: number): void {
    this.#ipv4.grow(swarmsMax);
    this.#ipv6.grow(swarmsMax);
    this.#seeds = grown(this.#seeds, swarmsMax);
    this.#partialSeeds = grown(this.#partialSeeds, swarmsMax);
    this.#expiredAt = grown(this.#expiredAt, swarmsMax);
  }
}

function bit(flags: number, flag: number): 0 | 1 {
  return (flags & flag) === 0 ? 0 : 1;
}

function isAddress(page: Int32Array, entry: number, peer: PeerAddress): boolean {
  for (let i = 0; i < peer.wordCount; i += 1) if (page[entry + i] !== peer.words[i]) return false;
  return true;
}

function grown(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}
