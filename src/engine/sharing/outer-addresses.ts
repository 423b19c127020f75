import { REACH, reachOf } from "../../base/address-reach.ts";
import { OuterAddress } from "../../base/outer-address.ts";

type Family = 4 | 6;

/**
 * Our own addresses: how the world sees us, as peers (BEP 10 `yourip`), trackers (BEP 24) and the DHT say, and how machines in
 * our own network do. Those who say it vote, one network one vote, so that no liar moves it alone.
 */
export class OuterAddresses {
  readonly #votes: ReadonlyMap<Family, OuterAddress> = new Map([
    [4, new OuterAddress()],
    [6, new OuterAddress()],
  ]);
  /** What others have found out by votes of their own. */
  readonly #believed = new Map<Family, string>();
  /** Of our end of the latest connection. */
  readonly #local = new Map<Family, string>();
  #version = 0;

  /** Grows whenever one of the addresses is another. */
  get version(): number {
    return this.#version;
  }

  /** @param voter - The address of a peer or tracker. @param seen - How it sees us. */
  vote(voter: string, seen: string): void {
    if (this.#votes.get(familyOf(seen))!.vote(voter, seen)) this.#version += 1;
  }

  /** The DHT, where many nodes have voted, knows it. */
  believe(address: string): void {
    if (reachOf(address) === REACH.world) this.#set(this.#believed, address);
  }

  /** A connection is open: this is its address on our side. */
  handleLocal(address: string): void {
    const reach = reachOf(address);
    if (reach !== REACH.nowhere) this.#set(this.#local, address);
  }

  /** @returns Our address as a peer there sees it, as far as we know. */
  seenBy(peer: string): string | undefined {
    const family = familyOf(peer);
    const outer = this.#votes.get(family)!.current ?? this.#believed.get(family);
    const local = this.#local.get(family);
    return reachOf(peer) === REACH.world ? (outer ?? local) : (local ?? outer);
  }

  #set(known: Map<Family, string>, address: string): void {
    const family = familyOf(address);
    if (known.get(family) === address) return;
    known.set(family, address);
    this.#version += 1;
  }
}

function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}
