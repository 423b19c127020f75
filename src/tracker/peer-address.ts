import { readUint32, writeUint32 } from "../base/bytes.ts";
import { COMPACT_IPV4_BYTES, COMPACT_IPV6_BYTES } from "../base/endpoint.ts";

const IPV4_BYTES = 4;

/** The asker's address as the tables hold it. One object is reused for every announce. */
export class PeerAddress {
  /** Big-endian words: the first one for IPv4, all four for IPv6. */
  readonly words: Int32Array = new Int32Array(4);
  /** 1 is IPv4, 4 is IPv6. */
  wordCount: 1 | 4 = 1;
  port = 0;

  /** @param bytes - 4 or 16; convert IPv4-mapped IPv6 to IPv4 first (TRK-21). */
  set(bytes: Uint8Array, port: number): void {
    this.wordCount = bytes.length === IPV4_BYTES ? 1 : 4;
    for (let i = 0; i < this.wordCount; i += 1) this.words[i] = readUint32(bytes, i * 4);
    this.port = port;
  }

  /** The address as it was set: 4 or 16 bytes. */
  get bytes(): Uint8Array {
    const bytes = new Uint8Array(this.wordCount * 4);
    for (let i = 0; i < this.wordCount; i += 1) writeUint32(bytes, i * 4, this.words[i]!);
    return bytes;
  }

  /** Bytes of an entry in this asker's answer, which names only peers of its own family (BEP 7). */
  get entryBytes(): 6 | 18 {
    return this.wordCount === 1 ? COMPACT_IPV4_BYTES : COMPACT_IPV6_BYTES;
  }
}
