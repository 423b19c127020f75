import type { Endpoint } from "../base/endpoint.ts";
import { type Owner, ownerOf } from "./address-shares.ts";
import { type Contact, endpointKey } from "./contact.ts";
import { compareDistance, NODE_ID_BITS, NODE_ID_BYTES, sharedBits } from "./node-id.ts";
import { isSecureId } from "./secure-id.ts";

/** Nodes of a bucket (BEP 5), and what a reply lists. */
export const BUCKET_NODES = 8;
/**
 * The first buckets cover half, a quarter... of all nodes, and are as large as this. A lookup begins nearer to its target
 * with them and is over sooner.
 */
const FIRST_BUCKETS_NODES = [128, 64, 32, 16];
const REPLACEMENTS_MAX = 8;
/** Nodes of one network in one bucket (DHT-3). */
const NETWORK_NODES_MAX = 2;
/** A node that has said nothing for this long is questionable (BEP 5). */
export const GOOD_MS = 15 * 60_000;
/** Queries in a row without an answer, after which a node is bad. */
const FAILURES_MAX = 2;

/** One node that has answered us. */
export interface TableNode {
  readonly contact: Contact;
  /** Its id fits its address (BEP 42). */
  readonly isSecure: boolean;
  readonly owner: Owner;
  /** When it last answered, or asked something after it had answered. */
  lastSeenMs: number;
  /** Queries since its last answer that were not answered. */
  failures: number;
}

interface Bucket {
  nodes: TableNode[];
  /** Nodes that answered when the bucket was full, the latest last. */
  replacements: TableNode[];
}

export interface TableCounts {
  readonly good: number;
  readonly questionable: number;
  readonly bad: number;
  readonly replacements: number;
  readonly buckets: number;
}

/**
 * The nodes that we know, many near our own id and few far away (BEP 5). A node gets in when it has answered a query of
 * ours, and not because somebody names it (DHT-3).
 *
 * Good -> questionable after 15 minutes of silence -> bad after two queries in a row without an answer. A bad node gives
 * its place to one that answered; as long as there is none it stays, so that a machine that was offline knows whom to ask.
 */
export class RoutingTable {
  readonly ownId: Uint8Array;
  /** Bucket i holds nodes that share exactly i bits with our id, the last one those that share i or more. */
  readonly #buckets: Bucket[] = [{ nodes: [], replacements: [] }];
  readonly #byEndpoint = new Map<string, TableNode>();
  readonly #byPlace = new Map<string, TableNode>();

  constructor(ownId: Uint8Array) {
    this.ownId = ownId;
  }

  /** The same nodes as they are seen from another id. */
  movedTo(ownId: Uint8Array): RoutingTable {
    const moved = new RoutingTable(ownId);
    for (const node of this.#byEndpoint.values()) moved.#insert(node);
    return moved;
  }

  get size(): number {
    return this.#byEndpoint.size;
  }

  nodes(): Iterable<TableNode> {
    return this.#byEndpoint.values();
  }

  /** A node answered our query. @returns True when it is in the table now. */
  handleAnswer(contact: Contact, now: number): boolean {
    const known = this.#byEndpoint.get(endpointKey(contact.endpoint));
    if (known && compareDistance(this.ownId, known.contact.id, contact.id) === 0) {
      known.lastSeenMs = now;
      known.failures = 0;
      return true;
    }
    // It has another id than before: the old one is nobody's.
    if (known) this.#remove(known);
    return this.#insert(makeNode(contact, now));
  }

  /** A node asked us something. It counts only for one that has answered before. */
  handleQuery(contact: Contact, now: number): void {
    const known = this.#byEndpoint.get(endpointKey(contact.endpoint));
    if (known && compareDistance(this.ownId, known.contact.id, contact.id) === 0) {
      known.lastSeenMs = now;
    }
  }

  /** A query was not answered in time. */
  handleSilence(endpoint: Endpoint): void {
    const node = this.#byEndpoint.get(endpointKey(endpoint));
    if (!node) return;
    node.failures += 1;
    if (node.failures < FAILURES_MAX) return;
    const substitute = this.#bucketOf(node.contact.id).replacements.pop();
    if (!substitute) return;
    this.#remove(node);
    this.#insert(substitute);
  }

  /** Tells whether a node that we only heard of would find room, so that asking it is worth a packet. */
  wants(contact: Contact): boolean {
    if (compareDistance(this.ownId, this.ownId, contact.id) === 0) return false;
    const owner = ownerOf(contact.endpoint);
    if (this.#byEndpoint.has(endpointKey(contact.endpoint)) || this.#byPlace.has(owner.place)) {
      return false;
    }
    const index = this.#indexOf(contact.id);
    const nodes = this.#buckets[index]!.nodes.filter((node) => !isBad(node));
    // The last bucket can be split: nodes near us always find room.
    const hasRoom = nodes.length < capacityOf(index) || index === this.#buckets.length - 1;
    return hasRoom && hasShare(nodes, owner);
  }

  /**
   * Lists the nodes nearest to a target, the nearest first.
   *
   * @param options.bad - Bad nodes too, when nobody else is left.
   * @param options.secureOnly - Those whose ids fit their addresses.
   */
  closest(
    target: Uint8Array,
    count: number,
    options: { readonly bad?: boolean; readonly secureOnly?: boolean } = {},
  ): TableNode[] {
    const found: TableNode[] = [];
    const take = (buckets: readonly Bucket[]): void => {
      // What the buckets before hold is nearer than anything in these.
      const start = found.length;
      if (start >= count) return;
      for (const { nodes } of buckets) {
        for (const node of nodes) {
          if (options.secureOnly && !node.isSecure) continue;
          if (options.bad || !isBad(node)) insertNearest(found, node, { target, start, count });
        }
      }
    };
    // Nodes that share more bits with us than the target does are as far from it as each other in the first bit
    // that counts, and nearer than those that share fewer.
    const index = this.#indexOf(target);
    take(this.#buckets.slice(index, index + 1));
    take(this.#buckets.slice(index + 1));
    for (let below = index - 1; below >= 0; below -= 1) take(this.#buckets.slice(below, below + 1));
    return found;
  }

  /**
   * Lists the nearest nodes, at least half of them with ids that fit their addresses when there are so many: whoever
   * surrounds a target with made-up ids does not hide the others (DHT-3).
   */
  closestMixed(target: Uint8Array, count: number): TableNode[] {
    const nearest = this.closest(target, count);
    const secure = this.closest(target, count / 2, { secureOnly: true });
    const missing = secure.filter((node) => !nearest.includes(node));
    if (missing.length === 0) return nearest;
    const insecure = nearest.filter((node) => !node.isSecure);
    const dropped = new Set(insecure.slice(Math.max(0, insecure.length - missing.length)));
    return [...nearest.filter((node) => !dropped.has(node)), ...missing].slice(0, count);
  }

  /** The node that has been silent longest, when that is longer than a good node may be. */
  mostSilent(now: number): TableNode | undefined {
    let most: TableNode | undefined;
    for (const node of this.#byEndpoint.values()) {
      if (isBad(node) || now - node.lastSeenMs < GOOD_MS) continue;
      if (!most || node.lastSeenMs < most.lastSeenMs) most = node;
    }
    return most;
  }

  counts(now: number): TableCounts {
    let good = 0;
    let bad = 0;
    for (const node of this.#byEndpoint.values()) {
      if (isBad(node)) bad += 1;
      else if (isGood(node, now)) good += 1;
    }
    const replacements = this.#buckets.reduce((sum, bucket) => sum + bucket.replacements.length, 0);
    const buckets = this.#buckets.length;
    return { good, bad, questionable: this.size - good - bad, replacements, buckets };
  }

  #insert(node: TableNode): boolean {
    if (compareDistance(this.ownId, this.ownId, node.contact.id) === 0) return false;
    if (!this.#clearPlace(node)) return false;
    for (;;) {
      const index = this.#indexOf(node.contact.id);
      const bucket = this.#buckets[index]!;
      if (!hasShare(bucket.nodes, node.owner)) return false;
      if (bucket.nodes.length < capacityOf(index)) {
        this.#add(bucket, node);
        return true;
      }
      if (index === this.#buckets.length - 1 && index < NODE_ID_BITS - 1) {
        this.#split();
        continue;
      }
      const weakest = bucket.nodes.find(isBad) ?? this.#insecureFor(node, bucket);
      if (!weakest) {
        keepReplacement(bucket, node);
        return false;
      }
      this.#remove(weakest);
      this.#add(bucket, node);
      return true;
    }
  }

  /** Sees to it that no other node has the address. @returns False when a node that still answers has it. */
  #clearPlace({ owner }: TableNode): boolean {
    const other = this.#byPlace.get(owner.place);
    if (!other) return true;
    if (other.failures === 0) return false;
    this.#remove(other);
    return true;
  }

  /** A node whose id fits its address comes before one whose id does not (BEP 42). */
  #insecureFor(node: TableNode, { nodes }: Bucket): TableNode | undefined {
    return node.isSecure ? nodes.find((other) => !other.isSecure) : undefined;
  }

  /**
   * Moves the nodes that share more bits with us than the last bucket asks for into a new one, which may hold more than
   * its share until it is split itself.
   */
  #split(): void {
    const index = this.#buckets.length - 1;
    const last = this.#buckets[index]!;
    const isDeeper = (node: TableNode): boolean => sharedBits(this.ownId, node.contact.id) > index;
    this.#buckets.push({
      nodes: last.nodes.filter(isDeeper),
      replacements: last.replacements.filter(isDeeper),
    });
    last.nodes = last.nodes.filter((node) => !isDeeper(node));
    last.replacements = last.replacements.filter((node) => !isDeeper(node));
  }

  #add(bucket: Bucket, node: TableNode): void {
    bucket.nodes.push(node);
    this.#byEndpoint.set(endpointKey(node.contact.endpoint), node);
    this.#byPlace.set(node.owner.place, node);
  }

  #remove(node: TableNode): void {
    const bucket = this.#bucketOf(node.contact.id);
    bucket.nodes = bucket.nodes.filter((other) => other !== node);
    this.#byEndpoint.delete(endpointKey(node.contact.endpoint));
    this.#byPlace.delete(node.owner.place);
  }

  #indexOf(id: Uint8Array): number {
    const bits = sharedBits(this.ownId, id.length === NODE_ID_BYTES ? id : this.ownId);
    return Math.min(bits, this.#buckets.length - 1);
  }

  #bucketOf(id: Uint8Array): Bucket {
    return this.#buckets[this.#indexOf(id)]!;
  }
}

function makeNode(contact: Contact, now: number): TableNode {
  const { id, endpoint } = contact;
  return {
    // The id may be a view into a packet.
    contact: { id: Uint8Array.from(id), endpoint },
    isSecure: isSecureId(id, endpoint.address),
    owner: ownerOf(endpoint),
    lastSeenMs: now,
    failures: 0,
  };
}

/** Keeps the nearest nodes from `start` on in order, up to `count` in all. */
function insertNearest(
  found: TableNode[],
  node: TableNode,
  limits: { readonly target: Uint8Array; readonly start: number; readonly count: number },
): void {
  const { target, start, count } = limits;
  let at = found.length;
  while (at > start && compareDistance(target, node.contact.id, found[at - 1]!.contact.id) < 0) {
    at -= 1;
  }
  if (at >= count) return;
  found.splice(at, 0, node);
  if (found.length > count) found.pop();
}

function capacityOf(index: number): number {
  return FIRST_BUCKETS_NODES[index] ?? BUCKET_NODES;
}

function isBad(node: TableNode): boolean {
  return node.failures >= FAILURES_MAX;
}

function isGood(node: TableNode, now: number): boolean {
  return !isBad(node) && now - node.lastSeenMs < GOOD_MS;
}

function hasShare(nodes: readonly TableNode[], { network }: Owner): boolean {
  if (network === undefined) return true;
  let count = 0;
  for (const { owner } of nodes) if (owner.network === network) count += 1;
  return count < NETWORK_NODES_MAX;
}

function keepReplacement(bucket: Bucket, node: TableNode): void {
  const { place } = node.owner;
  bucket.replacements = bucket.replacements.filter(({ owner }) => owner.place !== place);
  bucket.replacements.push(node);
  if (bucket.replacements.length > REPLACEMENTS_MAX) bucket.replacements.shift();
}
