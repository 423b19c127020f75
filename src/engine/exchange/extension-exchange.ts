import type { Infohashes } from "../../base/infohash.ts";
import { addressBytes } from "../../base/endpoint.ts";
import { ipOf, type PeerAddress } from "../../base/peer-address.ts";
import { OWN_NAME } from "../../base/peer-id.ts";
import { decodeDontHave, encodeDontHave } from "../../wire/donthave.ts";
import { encodeExtended } from "../../wire/encode-messages.ts";
import {
  decodeExtensionHandshake,
  encodeExtensionHandshake,
  EXTENSION_HANDSHAKE_ID,
  type ExtensionHandshake,
  ExtensionTable,
} from "../../wire/extensions.ts";
import { MetadataAssembler } from "../../wire/metadata-assembler.ts";
import type { PieceBounds } from "../../wire/piece-bounds.ts";
import {
  decodeMetadataMessage,
  encodeMetadataReject,
  encodeMetadataRequest,
  MetadataServer,
  UT_METADATA,
} from "../../wire/ut-metadata.ts";
import { EngineError } from "../engine-error.ts";
import type { ExtensionKind } from "../extension.ts";
import { AddedExtensions, type ExtensionMember } from "./added-extensions.ts";

/** The content of an extension message, where it concerns other parts of the engine. */
export type ExtensionNews<P> =
  /** The peer reports something about itself. */
  | { readonly kind: "words"; readonly words: ExtensionHandshake }
  /** The info dictionary is whole and matches the infohashes. */
  | { readonly kind: "metadata"; readonly infoBytes: Uint8Array }
  /** The peer no longer has a piece (BEP 54). */
  | { readonly kind: "dont-have"; readonly piece: number }
  /** Only this peer can have lied about the info dictionary. */
  | { readonly kind: "metadata-liar"; readonly liar: P };

/** An extension of the engine itself: its messages concern other parts of the engine. */
interface OwnExtension<P> {
  handleMessage(peer: P, payload: Uint8Array): ExtensionNews<P> | undefined;
}

interface PeerExtensions {
  readonly table: ExtensionTable;
  server: MetadataServer | undefined;
}

export interface ExtensionExchangeOptions {
  readonly infohashes: Infohashes;
  readonly metadataBytesMax: number;
  readonly requestQueueMax: number;
  readonly listenPort: () => number;
  /** What peers are told of our wish for encrypted streams; nothing when `undefined`. */
  readonly prefersEncryption: () => boolean | undefined;
  /** The info dictionary, once it is known. A private torrent does not send it to strangers (MET-19). */
  readonly info: () => { readonly bytes: Uint8Array; readonly private: boolean } | undefined;
  readonly bounds: PieceBounds;
  readonly nowMs: () => number;
  /** The extensions that were added with the torrent. */
  readonly added: readonly ExtensionKind[];
  /** A peer has named others, in an extension that exchanges peers. */
  readonly offerPeers: (
    addresses: readonly PeerAddress[],
    namedBy: PeerAddress,
    dialUs: boolean,
  ) => void;
  /** Runs the callback as a burst; its messages are sent at the end of the burst. */
  readonly burst: <T>(run: () => T) => T;
}

/** BEP 54. */
const DONTHAVE = "lt_donthave";

/**
 * The extension protocol (BEP 10) of one torrent: the registry of extensions, the handshake, the info dictionary in
 * both directions (BEP 9), lost pieces (BEP 54), and the extensions that were added with the torrent.
 */
export class ExtensionExchange<P extends ExtensionMember> {
  readonly #options: ExtensionExchangeOptions;
  readonly #own: ReadonlyMap<string, OwnExtension<P>>;
  readonly #added: AddedExtensions<P>;
  readonly #peers = new Map<P, PeerExtensions>();
  #assembler: MetadataAssembler<P> | undefined;

  /** @throws {EngineError} `duplicate-extension` when two extensions have one name. */
  constructor(options: ExtensionExchangeOptions) {
    this.#options = options;
    if (!options.info()) {
      this.#assembler = new MetadataAssembler({
        infohashes: options.infohashes,
        bytesMax: options.metadataBytesMax,
      });
    }
    this.#own = new Map<string, OwnExtension<P>>([
      [UT_METADATA, { handleMessage: (peer, payload) => this.#handleMetadata(peer, payload) }],
      [DONTHAVE, { handleMessage: (_peer, payload) => this.#handleDontHave(payload) }],
    ]);
    const names = [...this.#own.keys(), ...options.added.map(({ name }) => name)];
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new EngineError("duplicate-extension", twice);
    this.#added = new AddedExtensions({
      kinds: options.added,
      view: {
        infohashes: options.infohashes,
        get isInfoKnown() {
          return options.info() !== undefined;
        },
      },
      offerPeers: options.offerPeers,
      isPrivate: options.info()?.private === true,
      burst: options.burst,
      accepts: (peer, name) => this.#peers.get(peer)?.table.remoteId(name) !== undefined,
      send: (peer, name, payload) => this.send(peer, name, payload),
    });
  }

  /** Handshakes are exchanged: sends our BEP 10 handshake if the peer speaks it. */
  join(peer: P): void {
    if (peer.connection.extended) this.#start(peer);
    this.#added.join(peer);
  }

  #start(peer: P): void {
    const table = new ExtensionTable([...this.#own.keys(), ...this.#added.names]);
    this.#peers.set(peer, { table, server: undefined });
    const ip = ipOf(peer.connection.remote);
    const handshake = encodeExtensionHandshake({
      messages: table.offered,
      yourIp: ip === undefined ? undefined : addressBytes(ip),
      client: OWN_NAME,
      prefersEncryption: this.#options.prefersEncryption(),
      requestQueue: this.#options.requestQueueMax,
      listenPort: this.#options.listenPort() || undefined,
      metadataSize: this.#sharedInfo()?.length,
      datagramBytes: peer.connection.datagramBytesMax,
    });
    peer.connection.out.frame(encodeExtended(EXTENSION_HANDSHAKE_ID, handshake));
  }

  gone(peer: P, wasGood: boolean): void {
    this.#peers.delete(peer);
    this.#assembler?.handleGone(peer);
    this.#added.leave(peer, wasGood);
  }

  /** We dialled the address, and there was no answer, or there is none yet. */
  handleUnreached(address: PeerAddress): void {
    this.#added.handleUnreached(address);
  }

  tick(now: number): void {
    if (!this.#options.info()) this.requestMetadata();
    this.#added.tick(now);
  }

  /** The info dictionary of a magnet link arrived. Of a private torrent, peers are told which extensions have ended. */
  handleInfo(): void {
    if (this.#options.info()?.private !== true) return;
    const ended = this.#added.handlePrivate();
    if (ended.length === 0) return;
    const words = encodeExtensionHandshake({ messages: new Map(ended.map((name) => [name, 0])) });
    for (const { connection } of this.#peers.keys()) {
      connection.out.frame(encodeExtended(EXTENSION_HANDSHAKE_ID, words));
    }
  }

  /**
   * @returns The content of the message, where it concerns other parts of the engine.
   * @throws {WireError} When the payload breaks the extension's grammar.
   */
  handleExtended(peer: P, extensionId: number, payload: Uint8Array): ExtensionNews<P> | undefined {
    const state = this.#peers.get(peer);
    if (!state) return undefined;
    if (extensionId === EXTENSION_HANDSHAKE_ID) return this.#handleHandshake(peer, state, payload);
    const name = state.table.nameOf(extensionId);
    if (name === undefined) return undefined;
    const own = this.#own.get(name);
    if (own) return own.handleMessage(peer, payload);
    this.#added.handleMessage(peer, name, payload);
    return undefined;
  }

  /** Sends a message of an extension. @returns False when the peer does not accept it. */
  send(peer: P, name: string, payload: Uint8Array): boolean {
    const id = this.#peers.get(peer)?.table.remoteId(name);
    if (id === undefined) return false;
    peer.connection.out.frame(encodeExtended(id, payload));
    return true;
  }

  /** Tells a peer that we lost a piece. @returns False when the peer does not support that. */
  sendDontHave(peer: P, piece: number): boolean {
    return this.send(peer, DONTHAVE, encodeDontHave(piece));
  }

  /** Requests the missing parts of the info dictionary. */
  requestMetadata(): void {
    if (!this.#assembler) return;
    for (const peer of this.#peers.keys()) {
      if (peer.connection.isOpen) this.#requestMetadataFrom(peer);
    }
  }

  #handleHandshake(peer: P, state: PeerExtensions, payload: Uint8Array): ExtensionNews<P> {
    const handshake = decodeExtensionHandshake(payload);
    state.table.handleHandshake(handshake);
    const { datagramBytes } = handshake;
    if (datagramBytes !== undefined) peer.connection.allowDatagrams(datagramBytes);
    const size = handshake.metadataSize;
    if (this.#assembler && size !== undefined && state.table.remoteId(UT_METADATA) !== undefined) {
      this.#assembler.handleOffer(peer, size);
      this.#requestMetadataFrom(peer);
    }
    return { kind: "words", words: handshake };
  }

  #requestMetadataFrom(peer: P): void {
    const now = this.#options.nowMs();
    for (;;) {
      const index = this.#assembler?.nextRequest(peer, now);
      if (index === undefined) return;
      if (!this.send(peer, UT_METADATA, encodeMetadataRequest(index))) return;
    }
  }

  #handleDontHave(payload: Uint8Array): ExtensionNews<P> {
    const piece = decodeDontHave(payload, this.#options.bounds.wanted);
    return { kind: "dont-have", piece };
  }

  #handleMetadata(peer: P, payload: Uint8Array): ExtensionNews<P> | undefined {
    const message = decodeMetadataMessage(payload);
    if (!message) return undefined;
    const now = this.#options.nowMs();
    switch (message.kind) {
      case "request":
        this.#answerMetadata(peer, message.index);
        return undefined;
      case "reject":
        this.#assembler?.handleReject(peer, now);
        this.requestMetadata();
        return undefined;
      case "data": {
        const progress = this.#assembler?.handleBlock(peer, message, now);
        if (progress?.kind === "complete") {
          this.#assembler = undefined;
          return { kind: "metadata", infoBytes: progress.infoBytes };
        }
        // A peer that lied goes before we ask others.
        if (progress?.kind === "mismatch" && progress.liar) {
          return { kind: "metadata-liar", liar: progress.liar };
        }
        this.requestMetadata();
        return undefined;
      }
    }
  }

  #sharedInfo(): Uint8Array | undefined {
    const info = this.#options.info();
    return info && !info.private ? info.bytes : undefined;
  }

  #answerMetadata(peer: P, index: number): void {
    const state = this.#peers.get(peer);
    const infoBytes = this.#sharedInfo();
    if (!state) return;
    if (infoBytes) state.server ??= new MetadataServer(infoBytes);
    const answer = state.server?.answer(index) ?? encodeMetadataReject(index);
    this.send(peer, UT_METADATA, answer);
  }
}
