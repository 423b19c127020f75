import { encodeCompact, type Endpoint } from "../base/endpoint.ts";
import { concatBytes, toLatin1 } from "../base/bytes.ts";
import {
  type BencodeDict,
  getBytes,
  getInteger,
  getList,
  isBytes,
} from "../bencode/bencode-value.ts";
import type { Random } from "../ports/random.ts";
import { encodeContacts, type Family, familyOf } from "./contact.ts";
import { encodeFailure, encodeReply, type KrpcFields, SENT_BYTES_MAX } from "./encode-krpc.ts";
import { getSequence, type Item } from "./item.ts";
import { KRPC_ERROR, type KrpcQuery } from "./krpc.ts";
import { NODE_ID_BYTES } from "./node-id.ts";
import { type NodeStores, SAMPLE_MS } from "./node-stores.ts";
import { BUCKET_NODES, type RoutingTable } from "./routing-table.ts";

/** Peers in one answer: enough to begin with, and too few to be worth reflecting (DHT-1). */
const PEERS_IN_REPLY_MAX = 16;

export interface ResponderOptions {
  readonly stores: NodeStores;
  readonly random: Random;
  /** The tables of the families that this machine has. */
  readonly table: (family: Family) => RoutingTable | undefined;
}

/** A failure that the asking node is told of. */
interface Refusal {
  readonly code: number;
  readonly text: string;
}

type Answer = KrpcFields | Refusal;

/** Answers queries (BEP 5, 32, 33, 44, 51). An answer is never much longer than a list of nodes (DHT-1). */
export class Responder {
  readonly #options: ResponderOptions;

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  /**
   * @param ownId - Under which the node is known to the family of `from`.
   * @returns The packet to send back.
   */
  answer(query: KrpcQuery, at: { from: Endpoint; ownId: Uint8Array }, now: number): Uint8Array {
    const { transaction } = query;
    const answer = this.#answer(query, at, now);
    if (isRefusal(answer)) return encodeFailure({ transaction, ...answer });
    const encoded = (results: KrpcFields): Uint8Array =>
      encodeReply({ transaction, to: at.from, results: { id: at.ownId, ...results } });
    const packet = encoded(answer);
    if (packet.length <= SENT_BYTES_MAX) return packet;
    // Nodes of the other network are what the asking node can do without.
    const { nodes6: _other, ...shorter } = answer;
    return encoded(shorter);
  }

  #answer(query: KrpcQuery, at: { from: Endpoint; ownId: Uint8Array }, now: number): Answer {
    const { method, args } = query;
    switch (method) {
      case "ping":
        return {};
      case "find_node":
        return this.#withTarget(args, "target", (target) => this.#nodes(target, args, at.from));
      case "get_peers":
        return this.#withTarget(args, "info_hash", (infohash) =>
          this.#peers(infohash, args, { from: at.from, now }),
        );
      case "announce_peer":
        return this.#announce(args, at, now);
      case "get":
        return this.#withTarget(args, "target", (target) =>
          this.#item(target, args, { from: at.from, now }),
        );
      case "put":
        return this.#put(args, at, now);
      case "sample_infohashes":
        return this.#withTarget(args, "target", (target) =>
          this.#samples(target, args, { from: at.from, now }),
        );
      default:
        return this.#unknown(args, at.from);
    }
  }

  /** A method of the future that names a target is answered with nodes (BEP 5). */
  #unknown(args: BencodeDict, from: Endpoint): Answer {
    const target = getBytes(args, "target") ?? getBytes(args, "info_hash");
    if (target?.length === NODE_ID_BYTES) return this.#nodes(target, args, from);
    return { code: KRPC_ERROR.unknownMethod, text: "method unknown" };
  }

  #withTarget(args: BencodeDict, key: string, answer: (target: Uint8Array) => Answer): Answer {
    const target = getBytes(args, key);
    if (target?.length === NODE_ID_BYTES) return answer(target);
    return { code: KRPC_ERROR.protocol, text: `${key} is not 20 bytes` };
  }

  /** The nodes closest to a target, of the families that are wanted (BEP 32). */
  #nodes(target: Uint8Array, args: BencodeDict, from: Endpoint): KrpcFields {
    const wanted = wantedFamilies(args, from);
    return {
      nodes: wanted.has(4) ? this.#closest(target, 4) : undefined,
      nodes6: wanted.has(6) ? this.#closest(target, 6) : undefined,
    };
  }

  #closest(target: Uint8Array, family: Family): Uint8Array | undefined {
    const nodes = this.#options.table(family)?.closestMixed(target, BUCKET_NODES);
    return (
      nodes &&
      encodeContacts(
        nodes.map(({ contact }) => contact),
        family,
      )
    );
  }

  #peers(
    infohash: Uint8Array,
    args: BencodeDict,
    { from, now }: { readonly from: Endpoint; readonly now: number },
  ): Answer {
    const { stores, random } = this.#options;
    const token = stores.tokens.tokenFor(from.address, now);
    const nodes = this.#nodes(infohash, args, from);
    // Filters are long: whoever asks for them gets them, and no peers beside (BEP 33).
    const filters = getInteger(args, "scrape") === 1 && stores.peers.filters(infohash, now);
    if (filters) return { ...nodes, token, BFsd: filters.seeds, BFpe: filters.leechers };
    const peers = stores.peers.sample(
      infohash,
      {
        family: familyOf(from.address),
        count: PEERS_IN_REPLY_MAX,
        noSeeds: getInteger(args, "noseed") === 1,
        random,
      },
      now,
    );
    return { ...nodes, token, values: peers.length > 0 ? peers.map(encodeCompact) : undefined };
  }

  #announce(args: BencodeDict, at: { from: Endpoint; ownId: Uint8Array }, now: number): Answer {
    const { stores } = this.#options;
    const { from, ownId } = at;
    return this.#withTarget(args, "info_hash", (infohash) => {
      const refusal = this.#judgeToken(args, from, now);
      if (refusal) return refusal;
      const isImplied = (getInteger(args, "implied_port") ?? 0) !== 0;
      const port = isImplied ? from.port : getInteger(args, "port");
      if (port === undefined || port < 1 || port > 65535) {
        return { code: KRPC_ERROR.protocol, text: "invalid port" };
      }
      const endpoint = { address: from.address, port };
      const seed = getInteger(args, "seed") === 1;
      stores.peers.add({ infohash, endpoint, seed }, ownId, now);
      return {};
    });
  }

  #item(
    target: Uint8Array,
    args: BencodeDict,
    { from, now }: { readonly from: Endpoint; readonly now: number },
  ): Answer {
    const { stores } = this.#options;
    const token = stores.tokens.tokenFor(from.address, now);
    const item = stores.items.get(target, now);
    const known = getSequence(args, "seq");
    return { ...this.#nodes(target, args, from), token, ...(item && itemFields(item, known)) };
  }

  #put(args: BencodeDict, at: { from: Endpoint; ownId: Uint8Array }, now: number): Answer {
    const { from, ownId } = at;
    const refusal = this.#judgeToken(args, from, now);
    return refusal ?? this.#options.stores.items.put(args, { endpoint: from, ownId }, now) ?? {};
  }

  #samples(
    target: Uint8Array,
    args: BencodeDict,
    { from, now }: { readonly from: Endpoint; readonly now: number },
  ): Answer {
    const { stores } = this.#options;
    return {
      ...this.#nodes(target, args, from),
      interval: SAMPLE_MS / 1000,
      num: stores.peers.infohashCount,
      samples: concatBytes(stores.samples(now)),
    };
  }

  #judgeToken(args: BencodeDict, from: Endpoint, now: number): Refusal | undefined {
    const { tokens } = this.#options.stores;
    if (tokens.isValid(getBytes(args, "token"), from.address, now)) return undefined;
    return { code: KRPC_ERROR.protocol, text: "bad token" };
  }
}

function isRefusal(answer: Answer): answer is Refusal {
  return typeof answer.code === "number";
}

function wantedFamilies(args: BencodeDict, from: Endpoint): ReadonlySet<Family> {
  const wanted = new Set<Family>();
  for (const item of getList(args, "want") ?? []) {
    if (!isBytes(item)) continue;
    const name = toLatin1(item);
    if (name === "n4") wanted.add(4);
    if (name === "n6") wanted.add(6);
  }
  return wanted.size > 0 ? wanted : new Set([familyOf(from.address)]);
}

/** @param known - The sequence number that the asking node has: it wants a newer one only (BEP 44). */
function itemFields(item: Item, known: bigint | undefined): KrpcFields {
  if (item.kind === "immutable") return { v: item.value };
  if (known !== undefined && item.sequence <= known) return { seq: item.sequence };
  const { publicKey, signature, sequence, value } = item;
  return { k: publicKey, sig: signature, seq: sequence, v: value };
}
