import { Bitfield } from "../../base/bitfield.ts";
import { invariant } from "../../base/errors.ts";
import { BLOCK_BYTES, Geometry } from "../../base/geometry.ts";
import type { Random } from "../../ports/random.ts";
import type { PeerKey } from "./peer-key.ts";
import { PiecePicker, type PickOptions } from "./piece-picker.ts";

/** Blocks of each piece on the bench. */
export const BLOCKS = 4;

/** For tests. A picker for pieces of four blocks, with short methods for what peers do. */
export class PickerBench {
  readonly picker: PiecePicker;
  readonly pieceCount: number;
  readonly #out = { pieces: new Int32Array(512), blocks: new Int32Array(512) };
  #senders = 0;

  constructor(pieceCount: number, random: Random) {
    this.pieceCount = pieceCount;
    const length = pieceCount * BLOCKS * BLOCK_BYTES;
    const geometry = new Geometry({
      pieceLength: BLOCKS * BLOCK_BYTES,
      files: [{ offset: 0, length, pad: false }],
      aligned: false,
    });
    this.picker = new PiecePicker(geometry, random);
  }

  bits(pieces: readonly number[], length = this.pieceCount): Bitfield {
    const bitfield = new Bitfield(length);
    for (const piece of pieces) bitfield.add(piece);
    return bitfield;
  }

  peer(pieces: readonly number[] | "all", sender = this.#senders++): PeerKey {
    const key = this.picker.peerJoined(sender);
    if (pieces === "all") this.picker.peerHasAll(key);
    else this.picker.peerHas(key, this.bits(pieces));
    return key;
  }

  /** A peer that contributed to an intact piece. */
  provenPeer(pieces: readonly number[] | "all", by: number): PeerKey {
    const key = this.peer(pieces);
    this.picker.peerHave(key, by);
    this.fetch(key, by);
    return key;
  }

  pick(peer: PeerKey, blocksMax: number, options: Partial<PickOptions> = {}): string[] {
    const count = this.picker.pick(peer, blocksMax, this.#out, {
      canStart: () => true,
      whole: false,
      snubbed: false,
      soonBlocks: 0,
      silent: false,
      choked: false,
      ...options,
    });
    return Array.from({ length: count }, (_, i) => `${this.#out.pieces[i]}:${this.#out.blocks[i]}`);
  }

  /** @returns True when that completed the piece. */
  deliver(peer: PeerKey, names: readonly string[]): boolean {
    let complete = false;
    for (const name of names) {
      const [piece, block] = name.split(":").map(Number) as [number, number];
      invariant(this.picker.begin(peer, piece, block), `${name} is awaited`);
      const receipt = this.picker.received(peer, piece, block);
      invariant(receipt.kind === "accepted", `${name} is accepted`);
      complete ||= receipt.pieceComplete;
    }
    return complete;
  }

  /** The peer delivers this one piece whole and intact; meanwhile only that piece is wanted. */
  fetch(peer: PeerKey, piece: number): void {
    const priorities = new Uint8Array(this.pieceCount);
    priorities[piece] = 4;
    this.picker.setPriorities(priorities);
    invariant(this.deliver(peer, this.pick(peer, BLOCKS)), "the piece is whole");
    this.picker.verdict(piece, true);
    this.picker.setPriorities(new Uint8Array(this.pieceCount).fill(4));
  }

  /** Pieces opened by a peer one after the other. */
  piecesOpened(peer: PeerKey, count: number): number[] {
    const names = this.pick(peer, count * BLOCKS, { whole: true });
    return [...new Set(names.map((name) => Number(name.split(":")[0])))];
  }
}
