import { wireInfohashes } from "../../src/base/infohash.ts";
import type { PeerAddress, TransportKind } from "../../src/base/peer-address.ts";
import type { StreamConnection, StreamHandler } from "../../src/ports/net.ts";
import type { SimHost, SimLink } from "../../src/sim/sim-net.ts";
import type { SimSwarm } from "../../src/sim/sim-swarm.ts";
import {
  encodeHandshake,
  HANDSHAKE_BYTES,
  HandshakeDecoder,
  type HandshakeFlags,
} from "../../src/wire/handshake.ts";
import { WireDecoder } from "../../src/wire/wire-decoder.ts";
import type { HashRange, WireSink } from "../../src/wire/wire-sink.ts";

export const FAST_LINK: SimLink = {
  upBytesPerSecond: 100 * 1024 * 1024,
  downBytesPerSecond: 100 * 1024 * 1024,
  latencyMs: 10,
};

/** Where scripted peers listen. */
export const SCRIPTED_PORT = 6881;

/** A machine that does not run our engine. */
export function hostOf(swarm: SimSwarm, number: number): SimHost {
  return swarm.net.createHost(`172.16.${number >>> 8}.${number & 0xff}`, FAST_LINK);
}

export function infohashOf(swarm: SimSwarm): Uint8Array {
  return wireInfohashes(swarm.made.metainfo.info.infohashes)[0]!;
}

/** The reactions of a peer in a simulated swarm. All of them are optional. */
export interface SwarmScript {
  readonly infohash: Uint8Array;
  readonly flags?: Partial<HandshakeFlags>;
  /** Handshakes are exchanged. */
  readonly ready?: (peer: ScriptedPeer) => void;
  /** What the handshake of the other side offers; before `ready`. */
  readonly greeted?: (flags: HandshakeFlags) => void;
  readonly port?: (port: number) => void;
  readonly choke?: (peer: ScriptedPeer) => void;
  readonly unchoke?: (peer: ScriptedPeer) => void;
  readonly request?: (peer: ScriptedPeer, piece: number, begin: number, length: number) => void;
  readonly have?: (peer: ScriptedPeer, piece: number) => void;
  readonly extended?: (peer: ScriptedPeer, id: number, payload: Uint8Array) => void;
  readonly hashes?: (peer: ScriptedPeer, range: HashRange, hashes: Uint8Array) => void;
  readonly hashReject?: (peer: ScriptedPeer, range: HashRange) => void;
  readonly allowedFast?: (peer: ScriptedPeer, piece: number) => void;
  readonly block?: (peer: ScriptedPeer, piece: number, begin: number, bytes: Uint8Array) => void;
}

const FLAGS: HandshakeFlags = { extended: false, fast: true, dht: false, v2: false };
let peersMade = 0;

/** One side of a simulated connection, written by hand: it sends only what the script says. */
export class ScriptedPeer implements StreamHandler, WireSink {
  isClosed = false;
  connection: StreamConnection | undefined;
  readonly #script: SwarmScript;
  readonly #decoder: WireDecoder;
  readonly #hello: Uint8Array;
  #early: Buffer | undefined = Buffer.alloc(0);
  #block = new Uint8Array(0);

  constructor(script: SwarmScript) {
    this.#script = script;
    const flags = { ...FLAGS, ...script.flags };
    this.#decoder = new WireDecoder(this, { fast: flags.fast, v2: true });
    peersMade += 1;
    const peerId = Buffer.from(`-XX0000-${String(peersMade).padStart(12, "0")}`, "latin1");
    this.#hello = encodeHandshake({ ...flags, infohash: script.infohash, peerId });
  }

  /** Dials an engine. */
  dial(host: SimHost, to: PeerAddress): this {
    this.connection = host.dial(to, this, { timeoutMs: 10_000 });
    return this;
  }

  /** Accepts a connection. */
  answer(connection: StreamConnection): this {
    this.connection = connection;
    this.send(this.#hello);
    return this;
  }

  send(...messages: readonly Uint8Array[]): void {
    for (const message of messages) if (!this.isClosed) this.connection!.write(message.slice());
  }

  handleOpen(): void {
    this.send(this.#hello);
  }

  handleBytes(chunk: Uint8Array, length: number): void {
    if (!this.#early) {
      this.#decoder.feed(chunk, length);
      return;
    }
    this.#early = Buffer.concat([this.#early, chunk.subarray(0, length)]);
    if (this.#early.length < HANDSHAKE_BYTES) return;
    const greeting = new HandshakeDecoder();
    greeting.feed(this.#early, HANDSHAKE_BYTES);
    this.#script.greeted?.(greeting.flags!);
    const rest = this.#early.subarray(HANDSHAKE_BYTES);
    this.#early = undefined;
    this.#script.ready?.(this);
    if (rest.length > 0) this.#decoder.feed(rest, rest.length);
  }

  handleSent(): void {}

  handleClose(): void {
    this.isClosed = true;
  }

  handleChoke(): void {
    this.#script.choke?.(this);
  }
  handleUnchoke(): void {
    this.#script.unchoke?.(this);
  }
  handleRequest(piece: number, begin: number, length: number): void {
    this.#script.request?.(this, piece, begin, length);
  }
  beginBlock(_piece: number, _begin: number, length: number): Uint8Array {
    this.#block = new Uint8Array(length);
    return this.#block;
  }
  endBlock(piece: number, begin: number): void {
    this.#script.block?.(this, piece, begin, this.#block);
  }
  handleExtended(id: number, payload: Uint8Array): void {
    this.#script.extended?.(this, id, payload);
  }
  handleHashes(range: HashRange, hashes: Uint8Array): void {
    this.#script.hashes?.(this, range, hashes.slice());
  }
  handleHashReject(range: HashRange): void {
    this.#script.hashReject?.(this, range);
  }
  handleKeepAlive(): void {}
  handleInterested(): void {}
  handleNotInterested(): void {}
  handleHave(piece: number): void {
    this.#script.have?.(this, piece);
  }
  handleBitfield(): void {}
  handleHaveAll(): void {}
  handleHaveNone(): void {}
  handleCancel(): void {}
  handlePort(port: number): void {
    this.#script.port?.(port);
  }
  handleSuggest(): void {}
  handleReject(): void {}
  handleAllowedFast(piece: number): void {
    this.#script.allowedFast?.(this, piece);
  }
  handleHashRequest(): void {}
}

/** Listens as a scripted peer: every peer that dials meets the same script. */
export async function listenAs(
  host: SimHost,
  script: SwarmScript,
  kind: TransportKind = "tcp",
): Promise<PeerAddress & { readonly peers: ScriptedPeer[] }> {
  const peers: ScriptedPeer[] = [];
  await host.transport(kind).listen({
    host: host.address,
    port: SCRIPTED_PORT,
    accept: (connection) => {
      const peer = new ScriptedPeer(script);
      peers.push(peer);
      // Not before the engine's side knows of it.
      connection.pauseReading();
      host.net.simulation.startTimer(0, () => {
        peer.answer(connection);
        connection.resumeReading();
      });
      return peer;
    },
  });
  return { ...host.addressOf(kind, SCRIPTED_PORT), peers };
}
