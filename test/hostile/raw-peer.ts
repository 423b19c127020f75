import net from "node:net";
import type { TestContext } from "node:test";
import type { Endpoint } from "../../src/base/endpoint.ts";
import { type EndpointAddress, tcpAddress } from "../../src/base/peer-address.ts";
import {
  ADDRESS_BYTES,
  encodeBitfield,
  encodeExtended,
  INDEX_BYTES,
  PIECE_HEAD_BYTES,
  SIGNAL_BYTES,
  writeAllowedFast,
  writeCancel,
  writeHave,
  writePieceHead,
  writeReject,
  writeRequest,
  writeSignal,
  writeSuggest,
} from "../../src/wire/encode-messages.ts";
import { encodeHandshake, HANDSHAKE_BYTES, type HandshakeFlags } from "../../src/wire/handshake.ts";
import type { SignalId } from "../../src/wire/message-id.ts";
import { WireDecoder } from "../../src/wire/wire-decoder.ts";
import type { HashRange, WireSink } from "../../src/wire/wire-sink.ts";

/** The reactions of a scripted peer. All of them are optional. */
export interface Script {
  readonly infohash: Uint8Array;
  /** 20 characters of latin1. */
  readonly peerId?: string;
  readonly flags?: Partial<HandshakeFlags>;
  /** Handshakes are exchanged. */
  readonly ready?: (peer: RawPeer) => void;
  readonly unchoke?: (peer: RawPeer) => void;
  readonly interested?: (peer: RawPeer) => void;
  readonly have?: (peer: RawPeer, piece: number) => void;
  readonly request?: (peer: RawPeer, piece: number, begin: number, length: number) => void;
  readonly reject?: (peer: RawPeer, piece: number, begin: number) => void;
  readonly block?: (peer: RawPeer, piece: number, begin: number, bytes: Uint8Array) => void;
  readonly extended?: (peer: RawPeer, id: number, payload: Uint8Array) => void;
  readonly hashRequest?: (peer: RawPeer, range: HashRange) => void;
  readonly hashes?: (peer: RawPeer, range: HashRange, hashes: Uint8Array) => void;
  readonly hashReject?: (peer: RawPeer, range: HashRange) => void;
}

/** Whole frames, for `RawPeer.send`. */
export const frames = {
  signal: (id: SignalId) => filled(SIGNAL_BYTES, (to) => writeSignal(to, 0, id)),
  have: (piece: number) => filled(INDEX_BYTES, (to) => writeHave(to, 0, piece)),
  suggest: (piece: number) => filled(INDEX_BYTES, (to) => writeSuggest(to, 0, piece)),
  allowedFast: (piece: number) => filled(INDEX_BYTES, (to) => writeAllowedFast(to, 0, piece)),
  request: (piece: number, begin: number, length: number) =>
    filled(ADDRESS_BYTES, (to) => writeRequest(to, 0, { piece, begin, length })),
  cancel: (piece: number, begin: number, length: number) =>
    filled(ADDRESS_BYTES, (to) => writeCancel(to, 0, { piece, begin, length })),
  reject: (piece: number, begin: number, length: number) =>
    filled(ADDRESS_BYTES, (to) => writeReject(to, 0, { piece, begin, length })),
  bitfield: encodeBitfield,
  extended: encodeExtended,
  block: (piece: number, begin: number, bytes: Uint8Array) => {
    const head = filled(PIECE_HEAD_BYTES, (to) => {
      writePieceHead(to, 0, { piece, begin, length: bytes.length });
    });
    return Buffer.concat([head, bytes]);
  },
};

function filled(length: number, write: (target: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(bytes);
  return bytes;
}

let peersMade = 0;

/** One side of a connection, written by hand: it sends only what the script says. */
export class RawPeer implements WireSink {
  readonly socket: net.Socket;
  /** Resolves when the connection has ended, whichever side ended it. */
  readonly closed: Promise<void>;
  isClosed = false;
  readonly #script: Script;
  readonly #decoder: WireDecoder;
  #early: Buffer | undefined = Buffer.alloc(0);
  #block: Uint8Array = new Uint8Array(0);

  constructor(socket: net.Socket, script: Script) {
    this.socket = socket;
    this.#script = script;
    const flags = { ...FLAGS, ...script.flags };
    this.#decoder = new WireDecoder(this, { fast: flags.fast, v2: true });
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.isClosed = true;
        resolve();
      });
    });
    // The other side may close the connection at any moment; `closed` reports it.
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    peersMade += 1;
    const peerId = script.peerId ?? `-XX0000-${String(peersMade).padStart(12, "0")}`;
    this.send(
      encodeHandshake({
        ...flags,
        infohash: script.infohash,
        peerId: Buffer.from(peerId, "latin1"),
      }),
    );
  }

  send(...messages: readonly Uint8Array[]): void {
    for (const message of messages) if (!this.isClosed) this.socket.write(message);
  }

  #take(chunk: Buffer): void {
    if (!this.#early) {
      this.#decoder.feed(chunk, chunk.length);
      return;
    }
    this.#early = Buffer.concat([this.#early, chunk]);
    if (this.#early.length < HANDSHAKE_BYTES) return;
    const rest = this.#early.subarray(HANDSHAKE_BYTES);
    this.#early = undefined;
    this.#script.ready?.(this);
    if (rest.length > 0) this.#decoder.feed(rest, rest.length);
  }

  handleUnchoke(): void {
    this.#script.unchoke?.(this);
  }
  handleInterested(): void {
    this.#script.interested?.(this);
  }
  handleHave(piece: number): void {
    this.#script.have?.(this, piece);
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
  handleReject(piece: number, begin: number): void {
    this.#script.reject?.(this, piece, begin);
  }
  handleExtended(id: number, payload: Uint8Array): void {
    this.#script.extended?.(this, id, payload);
  }
  handleHashRequest(range: HashRange): void {
    this.#script.hashRequest?.(this, { ...range, piecesRoot: range.piecesRoot.slice() });
  }
  handleHashes(range: HashRange, hashes: Uint8Array): void {
    this.#script.hashes?.(this, range, hashes);
  }
  handleHashReject(range: HashRange): void {
    this.#script.hashReject?.(this, range);
  }
  handleKeepAlive(): void {}
  handleChoke(): void {}
  handleNotInterested(): void {}
  handleBitfield(): void {}
  handleHaveAll(): void {}
  handleHaveNone(): void {}
  handleCancel(): void {}
  handlePort(): void {}
  handleSuggest(): void {}
  handleAllowedFast(): void {}
}

const FLAGS: HandshakeFlags = { extended: false, fast: true, dht: false, v2: false };

/** Dials an engine as a scripted peer. */
export function dial(
  t: TestContext,
  to: Endpoint,
  script: Script,
  localAddress = "127.0.0.1",
): RawPeer {
  const socket = openSocket(t, to, localAddress);
  return new RawPeer(socket, script);
}

/** A bare connection that sends nothing by itself. */
export function openSocket(t: TestContext, to: Endpoint, localAddress = "127.0.0.1"): net.Socket {
  const socket = net.connect({ host: to.address, port: to.port, localAddress });
  socket.on("error", () => undefined);
  t.after(() => socket.destroy());
  return socket;
}

/** A scripted peer that listens, its endpoint, and its address as the engine takes it. */
export type Listening = Endpoint & EndpointAddress<"tcp"> & { readonly peers: RawPeer[] };

/** Listens as a scripted peer; every peer that dials meets the same script. */
export async function listenAs(
  t: TestContext,
  script: Script | ((call: number) => Script),
  address = "127.0.0.1",
): Promise<Listening> {
  const peers: RawPeer[] = [];
  const server = net.createServer((socket) => {
    const next = typeof script === "function" ? script(peers.length) : script;
    peers.push(new RawPeer(socket, next));
  });
  t.after(() => {
    for (const { socket } of peers) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen({ host: address, port: 0 }, resolve));
  const endpoint = { address, port: (server.address() as net.AddressInfo).port };
  return { ...endpoint, ...tcpAddress(endpoint), peers };
}
