import type { Endpoint } from "../base/endpoint.ts";
import { endpointKey } from "./contact.ts";
import type { FoundNode, KnownNode } from "./lookup.ts";
import { compareDistance } from "./node-id.ts";

/** Nodes that are remembered; the one that was silent longest goes first. */
const NODES_MAX = 32;
/** Nodes that one lookup begins with. */
const GIVEN_MAX = 16;
/** A token is good for five minutes at least (BEP 5); a lookup takes a part of that. */
const TOKEN_MS = 4 * 60_000;
/** A node that answered longer ago than this may be gone. */
const NODE_MS = 30 * 60_000;

interface NearNode extends KnownNode {
  readonly seenMs: number;
}

/** Nodes that earlier lookups found, for lookups of targets near by: they begin there, and need no second token. */
export class NearNodes {
  /** The one that answered last is the last. */
  readonly #nodes = new Map<string, NearNode>();

  /** A lookup found a node. One that was not asked, because it was known, is as old as before. */
  note({ contact, token, wasAsked }: FoundNode, now: number): void {
    if (!wasAsked) return;
    const key = endpointKey(contact.endpoint);
    this.#nodes.delete(key);
    this.#nodes.set(key, { contact, token, seenMs: now });
    if (this.#nodes.size > NODES_MAX) this.#nodes.delete(this.#nodes.keys().next().value!);
  }

  /** It did not answer, or does not take its token. */
  forget(endpoint: Endpoint): void {
    this.#nodes.delete(endpointKey(endpoint));
  }

  /** @returns The nodes nearest to a target, with those tokens that still are good. */
  nearest(target: Uint8Array, now: number): KnownNode[] {
    for (const [key, { seenMs }] of this.#nodes) {
      if (now - seenMs < NODE_MS) break;
      this.#nodes.delete(key);
    }
    return [...this.#nodes.values()]
      .toSorted((a, b) => compareDistance(target, a.contact.id, b.contact.id))
      .slice(0, GIVEN_MAX)
      .map(({ contact, token, seenMs }) => ({
        contact,
        token: now - seenMs < TOKEN_MS ? token : undefined,
      }));
  }
}
