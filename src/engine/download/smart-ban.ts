import { equalBytes } from "../../base/bytes.ts";

/** Bytes of one block's digest in a verdict (SHA-1). */
const DIGEST_BYTES = 20;

/** Blocks of corrupt pieces remembered, 1.5 MiB of evidence; beyond that the oldest pieces are forgotten. */
const EVIDENCE_BLOCKS_MAX = 65_536;

/** Addresses remembered as senders; beyond that the oldest can no longer be blamed. */
const SENDERS_MAX = 16_384;

/** One delivery of a piece that turned out to be corrupt. */
interface Evidence {
  readonly digests: Uint8Array;
  /** The sender of each block; -1 when unknown. */
  readonly senders: Int32Array;
}

/**
 * Finds the peers that lie (WIR-12, WIR-13). A corrupt piece says only that one of its blocks was wrong; once the piece
 * is intact, every remembered block that differs from the true one is proof against its sender. A peer is never blamed
 * for taking part in corrupt pieces, however often: otherwise an attacker could have honest peers banned (WIR-28).
 */
export class SmartBan {
  readonly #evidence = new Map<number, Evidence[]>();
  #blocks = 0;
  readonly #ids = new Map<string, number>();
  readonly #addresses = new Map<number, string>();
  #nextId = 0;

  /** The number that represents an address in the picker; the same for each connection from it. */
  senderOf(address: string): number {
    const known = this.#ids.get(address);
    if (known !== undefined) return known;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#ids.set(address, id);
    this.#addresses.set(id, address);
    for (const oldest of this.#ids.keys()) {
      if (this.#ids.size <= SENDERS_MAX) break;
      this.#forgetSender(oldest);
    }
    return id;
  }

  /** @returns The address that sent all blocks of a piece; `undefined` when there are several, or it is unknown. */
  soleSender(senders: Int32Array): string | undefined {
    const [first] = senders;
    if (first === undefined || senders.some((sender) => sender !== first)) return undefined;
    return this.#addresses.get(first);
  }

  /** True when the digests of this piece would be evidence if it turned out to be intact. */
  watches(piece: number): boolean {
    return this.#evidence.has(piece);
  }

  /**
   * A piece is corrupt.
   *
   * @param digests - 20 bytes for each block, in order; kept.
   * @param senders - One for each block, as `PiecePicker.senders` returns them; copied.
   */
  handleCorrupt(piece: number, digests: Uint8Array, senders: Int32Array): void {
    const deliveries = this.#evidence.get(piece) ?? [];
    // Moves to the end: the piece matters again.
    this.#evidence.delete(piece);
    this.#evidence.set(piece, deliveries);
    deliveries.push({ digests, senders: senders.slice() });
    this.#blocks += senders.length;
    for (const oldest of this.#evidence.keys()) {
      if (this.#blocks <= EVIDENCE_BLOCKS_MAX) break;
      this.#forget(oldest);
    }
  }

  /**
   * A piece is intact.
   *
   * @param digests - Of its blocks; without them the evidence for the piece is forgotten.
   * @returns The addresses that are proven to have sent a wrong block of it. Each is named once, and not again for
   *   every other piece it spoiled.
   */
  handleIntact(piece: number, digests: Uint8Array | undefined): string[] {
    const deliveries = this.#evidence.get(piece);
    if (!deliveries) return [];
    this.#forget(piece);
    if (!digests) return [];
    const liars = new Set<string>();
    for (const delivery of deliveries) {
      for (const [block, sender] of delivery.senders.entries()) {
        const address = this.#addresses.get(sender);
        if (address === undefined || isSameBlock(digests, delivery.digests, block)) continue;
        liars.add(address);
      }
    }
    for (const address of liars) this.#forgetSender(address);
    return [...liars];
  }

  #forget(piece: number): void {
    for (const { senders } of this.#evidence.get(piece) ?? []) this.#blocks -= senders.length;
    this.#evidence.delete(piece);
  }

  #forgetSender(address: string): void {
    this.#addresses.delete(this.#ids.get(address)!);
    this.#ids.delete(address);
  }
}

function isSameBlock(a: Uint8Array, b: Uint8Array, block: number): boolean {
  const from = block * DIGEST_BYTES;
  const end = from + DIGEST_BYTES;
  return equalBytes(a.subarray(from, end), b.subarray(from, end));
}
