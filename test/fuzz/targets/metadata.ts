import { equalBytes } from "../../../src/base/bytes.ts";
import { sha1 } from "../../../src/base/hash.ts";
import { MetadataAssembler, type MetadataProgress } from "../../../src/wire/metadata-assembler.ts";
import {
  decodeMetadataMessage,
  encodeMetadataData,
  metadataBlockCount,
} from "../../../src/wire/ut-metadata.ts";
import { WireError } from "../../../src/wire/wire-error.ts";
import type { FuzzTarget } from "../target.ts";

const BLOCK_BYTES = 16_384;
/** Three blocks, of which the last is short. */
const INFO = new Uint8Array(2 * BLOCK_BYTES + 100).map((_, i) => i % 253);
const INFOHASH = sha1(INFO);
const FALSE_INFO = INFO.map((byte) => byte ^ 1);
const BYTES_MAX = 1_000_000;

/** Of six peers the first two are honest. */
const HONEST = 2;
const PEERS = 6;
/** The claims of liars, in turn. */
const SIZES = [INFO.length, INFO.length - 1, 1, BLOCK_BYTES, BYTES_MAX, BYTES_MAX + 1, 0];
/** An honest peer that stays provides it within this time, whatever happened before. */
const PATIENCE_MS = 3_600_000;

/** Reads the input as a story: every two bytes are an actor, an action and a number. */
class Story {
  readonly #assembler = new MetadataAssembler<number>({
    infohashes: { v1: INFOHASH },
    bytesMax: BYTES_MAX,
  });
  /** The claim of each connected peer. */
  readonly #sizes = new Map<number, number>();
  readonly #asked = new Map<number, number[]>();
  #nowMs = 0;
  complete = false;

  step(what: number, number: number): void {
    const peer = (what >>> 3) % PEERS;
    switch (what & 7) {
      case 0:
        this.#offer(peer, peer < HONEST ? INFO.length : SIZES[number % SIZES.length]!);
        break;
      case 1:
        this.#leave(peer);
        break;
      case 2:
        this.#ask(peer);
        break;
      case 3:
        this.#answer(peer, this.#asked.get(peer)?.shift());
        break;
      case 4:
        // Unrequested.
        this.#answer(peer, number);
        break;
      case 5:
        this.#assembler.handleReject(peer, this.#nowMs);
        break;
      default:
        this.#nowMs += number * 100;
    }
  }

  /** All others leave, and one honest peer answers every request. */
  finish(): void {
    for (let peer = 1; peer < PEERS; peer += 1) this.#leave(peer);
    this.#offer(0, INFO.length);
    this.#asked.clear();
    const endMs = this.#nowMs + PATIENCE_MS;
    while (!this.complete) {
      if (this.#nowMs > endMs) throw new Error("an honest peer alone does not bring it");
      while (this.#ask(0));
      for (const index of this.#asked.get(0)?.splice(0) ?? []) this.#answer(0, index);
      this.#nowMs += 1_000;
    }
  }

  #offer(peer: number, size: number): void {
    try {
      this.#assembler.handleOffer(peer, size);
      this.#sizes.set(peer, size);
    } catch (error) {
      this.#dismiss(peer, error);
    }
  }

  #leave(peer: number): void {
    this.#assembler.handleGone(peer);
    this.#sizes.delete(peer);
    this.#asked.delete(peer);
  }

  /** @returns False when there is nothing to request. */
  #ask(peer: number): boolean {
    const index = this.#assembler.nextRequest(peer, this.#nowMs);
    if (index === undefined) return false;
    const size = this.#sizes.get(peer);
    if (size === undefined) throw new Error("a peer is asked that offers nothing");
    if (index >= metadataBlockCount(size)) throw new Error("a block past the end is asked for");
    this.#asked.set(peer, [...(this.#asked.get(peer) ?? []), index]);
    return true;
  }

  #answer(peer: number, index: number | undefined): void {
    const size = this.#sizes.get(peer);
    if (index === undefined || size === undefined || this.complete) return;
    const source = peer < HONEST ? INFO : FALSE_INFO;
    const block = new Uint8Array(Math.max(0, Math.min(BLOCK_BYTES, size - index * BLOCK_BYTES)));
    block.set(source.subarray(index * BLOCK_BYTES, index * BLOCK_BYTES + block.length));
    try {
      const message = decodeMetadataMessage(encodeMetadataData(index, size, block));
      if (message?.kind !== "data") throw new Error("data is decoded as something else");
      this.#judge(this.#assembler.handleBlock(peer, message, this.#nowMs));
    } catch (error) {
      this.#dismiss(peer, error);
    }
  }

  #judge(progress: MetadataProgress<number>): void {
    if (progress.kind === "complete") {
      if (!equalBytes(progress.infoBytes, INFO)) throw new Error("false bytes are complete");
      this.complete = true;
    }
    if (progress.kind === "mismatch" && progress.liar !== undefined) {
      if (progress.liar < HONEST) throw new Error("an honest peer is called a liar");
      this.#leave(progress.liar);
    }
  }

  /** As the engine does: a peer that breaks the protocol is closed. */
  #dismiss(peer: number, error: unknown): void {
    if (!(error instanceof WireError)) throw error;
    this.#leave(peer);
  }
}

/** Two bytes a step. The first two peers offer, are asked and answer; liars act in between. */
const STORIES = [
  [0, 0, 2, 0, 2, 0, 2, 0, 3, 0, 3, 0, 3, 0],
  [0, 0, 16, 0, 2, 0, 18, 0, 3, 0, 19, 0, 2, 0, 3, 0, 2, 0, 3, 0, 18, 0, 19, 0],
  [24, 1, 32, 4, 26, 0, 27, 0, 6, 255, 8, 0, 10, 0, 11, 0, 13, 0, 25, 0, 20, 1, 36, 2],
];

const assembler: FuzzTarget = {
  name: "metadata-assembler",
  corpus: STORIES.map((steps) => Uint8Array.from(steps)),
  refusals: [],
  run: (input) => {
    const story = new Story();
    for (let at = 0; at + 1 < Math.min(input.length, 400) && !story.complete; at += 2) {
      story.step(input[at]!, input[at + 1]!);
    }
    if (!story.complete) story.finish();
  },
};

export const targets: readonly FuzzTarget[] = [assembler];
