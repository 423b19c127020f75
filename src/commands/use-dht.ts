import { fromHex } from "../base/bytes.ts";
import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import { dictToJson } from "../bencode/bencode-json.ts";
import type { Infohashes } from "../base/infohash.ts";
import { decode } from "../bencode/decode.ts";
import { encode } from "../bencode/encode.ts";
import { DhtError } from "../dht/dht-error.ts";
import type { Dht, DhtStatus } from "../dht/dht.ts";
import { getItem, type ItemPutResult, type ItemSearchResult, putItem } from "../dht/item-search.ts";
import {
  type Item,
  type ItemPlace,
  makeImmutable,
  placeOf,
  signItem,
  targetOf,
} from "../dht/item.ts";
import { decodePointer } from "../dht/mutable-torrent.ts";
import {
  type PeerSearchResult,
  scrapeSwarm,
  searchPeers,
  type SwarmEstimate,
} from "../dht/peer-search.ts";
import type { PublicationName } from "../metainfo/metainfo.ts";
import type { SigningKey } from "../ports/signatures.ts";
import { SharedPort } from "../udp/shared-port.ts";
import { CommandError } from "./command-error.ts";
import { type DhtChoice, type DhtPorts, openDht } from "./one-shot-dht.ts";
import { sleep } from "./waiting.ts";

export interface DhtCommandOptions extends DhtChoice {
  readonly signal: AbortSignal;
}

/** How long a command waits for the first node to answer. */
const JOIN_MS = 20_000;
const JOIN_LOOK_MS = 100;
/** How long the table fills before it is told of. */
const SETTLE_MS = 3000;

/** What the DHT says of a torrent. */
export interface DhtLookup extends PeerSearchResult, SwarmEstimate {
  readonly addresses: readonly string[];
}

/** An item that was found. */
export interface FoundItem {
  readonly target: Uint8Array;
  /** As JSON has it. */
  readonly value: unknown;
  /** `undefined` for an immutable item. */
  readonly sequence: bigint | undefined;
  readonly copies: number;
}

export interface StoredItem {
  /** What `get` takes: the target of an immutable item, the public key of a mutable one. */
  readonly name: Uint8Array;
  readonly sequence: bigint | undefined;
  /** Nodes that have taken it. */
  readonly stored: number;
}

/** Joins, and tells which nodes are known and how others see this machine. @throws {CommandError} `unreachable`. */
export function dhtStatus(ports: DhtPorts, options: DhtCommandOptions): Promise<DhtStatus> {
  return withDht(ports, options, async (dht) => {
    await sleep(ports.clock, SETTLE_MS, options.signal);
    return dht.status();
  });
}

/** Finds the peers of a torrent without announcing anything. @throws {CommandError} `unreachable`. */
export function dhtLookup(
  ports: DhtPorts,
  options: DhtCommandOptions & { readonly infohash: Uint8Array },
): Promise<DhtLookup> {
  const { infohash } = options;
  return withDht(ports, options, async (dht) => {
    const found: Endpoint[] = [];
    const onPeers = (peers: readonly Endpoint[]): void => void found.push(...peers);
    const [result, estimate] = await Promise.all([
      new Promise<PeerSearchResult>((onDone) => searchPeers(dht, { infohash, onPeers, onDone })),
      new Promise<SwarmEstimate>((onDone) => scrapeSwarm(dht, infohash, onDone)),
    ]);
    return { ...result, ...estimate, addresses: found.map(formatEndpoint) };
  });
}

/**
 * Reads an item.
 *
 * @param options.name - The target of an immutable item, 40 hexadecimal digits, or the public key of a mutable one, 64.
 * @throws {CommandError} `not-found`; `bad-plan` for a name that is neither; `unreachable`.
 */
export function dhtGet(
  ports: DhtPorts,
  options: DhtCommandOptions & { readonly name: string; readonly salt: Uint8Array },
): Promise<FoundItem> {
  const place = placeOfName(options.name, options.salt);
  return withDht(ports, options, async (dht) => {
    const { signatures } = ports;
    const { item, copies } = await new Promise<ItemSearchResult>((onDone) =>
      getItem(dht, { place, signatures }, onDone),
    );
    if (!item) throw noItem(options.name);
    const { value } = dictToJson(new Map([["value", decode(item.value)]]));
    const sequence = item.kind === "mutable" ? item.sequence : undefined;
    return { target: targetOf(place), value, sequence, copies };
  });
}

/**
 * Stores a text: under its own hash, or with a key as the next version of the key's item.
 *
 * @throws {CommandError} `bad-plan` for what the DHT does not store; `not-allowed` when every node refuses; `unreachable`.
 */
export function dhtPut(
  ports: DhtPorts,
  options: DhtCommandOptions & {
    readonly text: string;
    readonly key: SigningKey | undefined;
    readonly salt: Uint8Array;
  },
): Promise<StoredItem> {
  const { key, salt } = options;
  if (!key && salt.length > 0) throw saltWithoutKey();
  const value = encode(options.text);
  const make = (newest: Item | undefined): Item => {
    if (!key) return makeImmutable(value);
    const sequence = newest?.kind === "mutable" ? newest.sequence + 1n : 1n;
    return signItem(key, { value, salt, sequence });
  };
  const place = placeToStore(make);
  return withDht(ports, options, async (dht) => {
    const { signatures } = ports;
    const { item, stored, refusals } = await new Promise<ItemPutResult>((onDone) =>
      putItem(dht, { place, signatures, make }, onDone),
    );
    if (!item || stored === 0) throw notStored(refusals);
    const sequence = item.kind === "mutable" ? item.sequence : undefined;
    return { name: key?.publicKey ?? targetOf(place), sequence, stored };
  });
}

/**
 * Finds the newest version of a publication (BEP 46).
 *
 * @throws {CommandError} `not-found` when there is none; `unreachable`.
 */
export function findVersion(
  ports: DhtPorts,
  options: DhtCommandOptions & { readonly publication: PublicationName },
): Promise<Infohashes> {
  const place = { kind: "mutable", ...options.publication } as const;
  return withDht(ports, options, async (dht) => {
    const { signatures } = ports;
    const { item } = await new Promise<ItemSearchResult>((onDone) =>
      getItem(dht, { place, signatures }, onDone),
    );
    const infohashes = item && decodePointer(item.value);
    if (!infohashes) throw nothingPublished();
    return infohashes;
  });
}

/** @throws {CommandError} `bad-plan` when the text or the salt is too long for the DHT. */
function placeToStore(make: (newest: undefined) => Item): ItemPlace {
  try {
    return placeOf(make(undefined));
  } catch (error) {
    if (!(error instanceof DhtError)) throw error;
    throw new CommandError(
      "bad-plan",
      "The DHT does not store that. The text or the salt is too long.",
      {
        hint: "a text of at most 996 bytes, and a salt of at most 64.",
        cause: error,
      },
    );
  }
}

function saltWithoutKey(): CommandError {
  return new CommandError(
    "bad-plan",
    "A salt tells the items of one key apart, and there is no key.",
    {
      hint: "--key-file FILE signs the item with a key; without one leave --salt out.",
    },
  );
}

function placeOfName(name: string, salt: Uint8Array): ItemPlace {
  const bytes = fromHex(name);
  if (bytes?.length === 20 && salt.length === 0) return { kind: "immutable", target: bytes };
  if (bytes?.length === 32) return { kind: "mutable", publicKey: bytes, salt };
  throw new CommandError("bad-plan", `${name} names no item.`, {
    hint: "40 hexadecimal digits for an immutable item, or the 64 of a public key; only a key has a --salt.",
  });
}

/** Runs work with a node that has joined, and ends the node. */
async function withDht<Result>(
  ports: DhtPorts,
  options: DhtCommandOptions,
  work: (dht: Dht) => Promise<Result>,
): Promise<Result> {
  const { clock, behindProxy } = ports;
  const { signal } = options;
  if (behindProxy?.carriesDatagrams === false) throw noDatagrams();
  // A node that is gone in a minute is of no use to others, so it asks and does not answer.
  const udp = new SharedPort({ net: ports.datagrams, log: ports.log });
  const opened = await openDht(ports, options, { udp, readOnly: true });
  const { dht } = opened.service;
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  // It rejects for the race below only.
  aborted.catch(() => undefined);
  try {
    const endMs = clock.nowMs() + JOIN_MS;
    while (!dht.isReached) {
      if (clock.nowMs() >= endMs) throw nobodyAnswers();
      await sleep(clock, JOIN_LOOK_MS, signal);
    }
    return await Promise.race([work(dht), aborted]);
  } finally {
    await opened.close();
    udp.close();
  }
}

function noDatagrams(): CommandError {
  return new CommandError(
    "unreachable",
    "The proxy carries no datagrams, and the DHT has nothing else.",
    {
      hint: "a SOCKS5 proxy that relays UDP, or --interface NAME for a VPN.",
    },
  );
}

function nobodyAnswers(): CommandError {
  return new CommandError("unreachable", "No DHT node answers.", {
    hint: "check that this machine may send UDP to the internet, or name a node with --bootstrap HOST:PORT.",
  });
}

/** The DHT does not know a publication. */
export function nothingPublished(): CommandError {
  return new CommandError("not-found", "The DHT has no version of this publication.", {
    hint: "check the key and the salt; the DHT forgets a version two hours after the last program that published or followed it.",
  });
}

function noItem(name: string): CommandError {
  return new CommandError("not-found", `The DHT has no item ${name}.`, {
    subject: name,
    hint: "items live for two hours, unless somebody stores them again; a --salt is part of the name.",
  });
}

function notStored(refusals: ReadonlyMap<number, string>): CommandError {
  const [reason] = refusals.values();
  const why = reason === undefined ? "No node has taken it." : `The nodes say: ${reason}.`;
  return new CommandError("not-allowed", `Nothing was stored. ${why}`, {
    hint: "the same again in a minute.",
  });
}
