import type { PeerAddress } from "../../base/peer-address.ts";
import type { Connection } from "../connection/connection.ts";
import { Introducers } from "./introducers.ts";
import type { Extension, ExtensionKind, ExtensionPeer, ExtensionView } from "../extension.ts";

/** A peer, as far as its extensions are concerned. */
export interface ExtensionMember {
  readonly connection: Connection;
  /** The address where it can be dialled; `undefined` while that is unknown. */
  readonly reachableAt: PeerAddress | undefined;
  /** It wants nothing more (BEP 21). */
  readonly uploadOnly: boolean;
  readonly prefersEncryption: boolean;
}

export interface AddedExtensionsOptions<P> {
  readonly kinds: readonly ExtensionKind[];
  readonly view: Pick<ExtensionView, "infohashes" | "isInfoKnown">;
  /** A peer has named others. @param dialUs - They dial us at this moment. */
  readonly offerPeers: (
    addresses: readonly PeerAddress[],
    namedBy: PeerAddress,
    dialUs: boolean,
  ) => void;
  readonly isPrivate: boolean;
  /** Runs the callback as a burst; its messages are sent at the end of the burst. */
  readonly burst: <T>(run: () => T) => T;
  /** @returns Whether the peer accepts messages of that name. */
  readonly accepts: (peer: P, name: string) => boolean;
  /** @returns False when the peer does not accept messages of that name. */
  readonly send: (peer: P, name: string, payload: Uint8Array) => boolean;
}

interface Added<P> {
  readonly kind: ExtensionKind;
  readonly extension: Extension;
  readonly peers: Map<P, ExtensionPeer>;
  /** The same the other way round. */
  readonly members: Map<ExtensionPeer, P>;
}

/** The extensions that were added to one torrent, and the peers that joined each of them. */
export class AddedExtensions<P extends ExtensionMember> {
  readonly #options: AddedExtensionsOptions<P>;
  readonly #added = new Map<string, Added<P>>();
  readonly #introducers = new Introducers<P>();

  constructor(options: AddedExtensionsOptions<P>) {
    this.#options = options;
    const { view } = options;
    for (const kind of options.kinds) {
      if (options.isPrivate && !kind.inPrivate) continue;
      const extension = kind.create({
        infohashes: view.infohashes,
        get isInfoKnown() {
          return view.isInfoKnown;
        },
        offerPeers: (addresses, namedBy, how) => {
          const added = this.#added.get(kind.name);
          if (!added) return;
          const member = added.members.get(namedBy);
          if (how?.introduces === true && member) this.#introducers.note(member, addresses);
          options.offerPeers(addresses, namedBy.address, how?.dialUs ?? false);
        },
        retractPeers: (addresses, namedBy) => {
          const member = this.#added.get(kind.name)?.members.get(namedBy);
          if (member) this.#introducers.retract(member, addresses);
        },
      });
      this.#added.set(kind.name, { kind, extension, peers: new Map(), members: new Map() });
    }
  }

  get names(): Iterable<string> {
    return this.#added.keys();
  }

  join(peer: P): void {
    for (const { kind, extension, peers, members } of this.#added.values()) {
      const joined = this.#joined(peer, kind.name);
      peers.set(peer, joined);
      members.set(joined, peer);
      extension.join(joined);
    }
  }

  /** Does nothing for a peer that never joined. */
  leave(peer: P, wasGood: boolean): void {
    this.#introducers.leave(peer);
    for (const { extension, peers, members } of this.#added.values()) {
      const joined = peers.get(peer);
      if (!joined) continue;
      peers.delete(peer);
      members.delete(joined);
      extension.leave(joined, wasGood);
    }
  }

  /** @throws {WireError} When the payload breaks the extension's grammar. */
  handleMessage(peer: P, name: string, payload: Uint8Array): void {
    const added = this.#added.get(name);
    const joined = added?.peers.get(peer);
    if (joined) added!.extension.handleMessage(joined, payload);
  }

  /** We dialled the address, and there was no answer, or there is none yet. */
  handleUnreached(address: PeerAddress): void {
    const introducers = this.#introducers.of(address);
    for (const { extension, peers } of this.#added.values()) {
      const joined = introducers.flatMap((peer) => peers.get(peer) ?? []);
      extension.handleUnreached?.(address, joined);
    }
  }

  tick(now: number): void {
    for (const { extension } of this.#added.values()) extension.tick(now);
  }

  /**
   * The torrent turned out to be private: all peers leave the extensions that a private torrent must not have.
   *
   * @returns The names of these extensions.
   */
  handlePrivate(): string[] {
    const ended: string[] = [];
    this.#introducers.clear();
    for (const [name, { kind, extension, peers }] of this.#added) {
      if (kind.inPrivate) continue;
      this.#added.delete(name);
      ended.push(name);
      for (const joined of peers.values()) extension.leave(joined, false);
    }
    return ended;
  }

  #joined(peer: P, name: string): ExtensionPeer {
    const { burst, send, accepts } = this.#options;
    const { connection } = peer;
    return {
      address: connection.remote,
      get reachableAt() {
        return peer.reachableAt;
      },
      incoming: connection.incoming,
      get isSeed() {
        return connection.isSeed;
      },
      get uploadOnly() {
        return peer.uploadOnly;
      },
      get isEncrypted() {
        return connection.encryption !== undefined || peer.prefersEncryption;
      },
      accepts: (extension) => accepts(peer, extension),
      send: (payload) => connection.isOpen && burst(() => send(peer, name, payload)),
      close: (reason) => burst(() => connection.close(reason)),
    };
  }
}
