import { equalBytes } from "../../src/base/bytes.ts";
import type {
  DecoratorStep,
  DecoratorWire,
  StreamCipher,
  StreamDecorator,
} from "../../src/engine/stream-decorator.ts";
import { WireError } from "../../src/wire/wire-error.ts";

/** A stream cipher: changes received bytes in place, and sent bytes in its own memory. */
export class XorCipher implements StreamCipher {
  readonly #key: number;
  #taken: Uint8Array | undefined;

  constructor(key: number) {
    this.#key = key;
  }

  encode(bytes: Uint8Array): Uint8Array {
    return bytes.map((byte) => byte ^ this.#key);
  }

  feed(chunk: Uint8Array, length: number): void {
    for (let i = 0; i < length; i += 1) chunk[i]! ^= this.#key;
    this.#taken = chunk.subarray(0, length);
  }

  next(): Uint8Array | undefined {
    const taken = this.#taken;
    this.#taken = undefined;
    return taken;
  }
}

const HEAD_BYTES = 6;
/** Records into which a run of bytes is divided. */
const RECORD_BYTES = 10_000;

/** Records of a length, a checksum and bytes. It notices changes on the way. */
export class RecordCipher implements StreamCipher {
  #received = Buffer.alloc(0);
  #sent = 0;
  #opened = 0;

  encode(bytes: Uint8Array): Uint8Array {
    const records: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
      const part = bytes.subarray(at, at + RECORD_BYTES);
      const record = Buffer.alloc(HEAD_BYTES + part.length);
      record.writeUInt16BE(part.length);
      record.writeUInt32BE(sumOf(part, (this.#sent += 1)), 2);
      record.set(part, HEAD_BYTES);
      records.push(record);
    }
    return Buffer.concat(records);
  }

  feed(chunk: Uint8Array, length: number): void {
    this.#received = Buffer.concat([this.#received, chunk.subarray(0, length)]);
  }

  next(): Uint8Array | undefined {
    if (this.#received.length < HEAD_BYTES) return undefined;
    const end = HEAD_BYTES + this.#received.readUInt16BE();
    if (this.#received.length < end) return undefined;
    const part = this.#received.subarray(HEAD_BYTES, end);
    const sum = this.#received.readUInt32BE(2);
    this.#received = this.#received.subarray(end);
    if (sum !== sumOf(part, (this.#opened += 1))) {
      throw new WireError("bad-decoration", "a record has another sum");
    }
    return part;
  }
}

function sumOf(bytes: Uint8Array, number: number): number {
  let sum = number;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) >>> 0;
  return sum;
}

const KEY_BYTES = 4;
const MASK = 0xa5;

/** Does some work that takes time; resolves when it is done. */
export type Work = () => Promise<void>;

/**
 * Like message stream encryption in its steps: the dialler sends a key, and the other side answers with its own. The
 * dialler then names the torrent, masked, followed by its handshake; from then on all bytes are changed. With
 * `encrypts: false` the stream continues in plain bytes from there.
 */
export class ToyDialler implements StreamDecorator {
  readonly #infohash: Uint8Array;
  readonly #encrypts: boolean;
  readonly #work: Work | undefined;
  #hasGreeted = false;
  ended = 0;

  constructor(infohash: Uint8Array, encrypts = true, work?: Work) {
    this.#infohash = infohash;
    this.#encrypts = encrypts;
    this.#work = work;
  }

  negotiate(received: Uint8Array, wire: DecoratorWire): DecoratorStep | Promise<DecoratorStep> {
    if (!this.#hasGreeted) {
      this.#hasGreeted = true;
      wire.send(new Uint8Array(KEY_BYTES).fill(1));
    }
    if (received.length < KEY_BYTES) return { kind: "more", consumed: 0 };
    return this.#work ? this.#work().then(() => this.#finish(wire)) : this.#finish(wire);
  }

  #finish(wire: DecoratorWire): DecoratorStep {
    const early = wire.takeWritten(65_535);
    const head = Buffer.from([this.#encrypts ? 2 : 1, early.length]);
    wire.send(
      Buffer.concat([this.#infohash, head, early]).map((byte, i) => (i < 20 ? byte ^ MASK : byte)),
    );
    return { kind: "ready", consumed: KEY_BYTES, cipher: cipherIf(this.#encrypts) };
  }

  handleEnd(): void {
    this.ended += 1;
  }
}

/** The other side. A peer that begins with a BEP 3 handshake is plain. */
export class ToyListener implements StreamDecorator {
  readonly #infohashes: Iterable<Uint8Array>;
  readonly #work: Work | undefined;
  #hasKey = false;

  constructor(infohashes: Iterable<Uint8Array>, work?: Work) {
    this.#infohashes = infohashes;
    this.#work = work;
  }

  negotiate(received: Uint8Array, wire: DecoratorWire): DecoratorStep | Promise<DecoratorStep> {
    if (this.#hasKey) return this.#find(received);
    if (received[0] === 19) return { kind: "ready", consumed: 0 };
    if (received.length < KEY_BYTES) return { kind: "more", consumed: 0 };
    if (received.subarray(0, KEY_BYTES).some((byte) => byte !== 1)) {
      throw new WireError("bad-decoration", "this is no key");
    }
    const step = (): DecoratorStep => {
      this.#hasKey = true;
      wire.send(new Uint8Array(KEY_BYTES).fill(1));
      return { kind: "more", consumed: KEY_BYTES };
    };
    return this.#work ? this.#work().then(step) : step();
  }

  #find(received: Uint8Array): DecoratorStep {
    const earlyBytes = received[21];
    if (earlyBytes === undefined || received.length < 22 + earlyBytes) {
      return { kind: "more", consumed: 0 };
    }
    const asked = received.slice(0, 20).map((byte) => byte ^ MASK);
    const infohash = [...this.#infohashes].find((known) => equalBytes(known, asked));
    if (!infohash) return { kind: "refused", reason: "no torrent of that key" };
    const consumed = 22 + earlyBytes;
    const early = received.slice(22, consumed);
    return { kind: "ready", consumed, cipher: cipherIf(received[20] === 2), early, infohash };
  }
}

function cipherIf(encrypts: boolean): StreamCipher | undefined {
  return encrypts ? new XorCipher(MASK) : undefined;
}

/** After the handshakes each side proves a secret, the dialler first. The other side is silent until it has. */
export class ToyShare implements StreamDecorator {
  readonly #secret: number;
  readonly #incoming: boolean;
  #hasSpoken = false;

  constructor(secret: number, incoming: boolean) {
    this.#secret = secret;
    this.#incoming = incoming;
  }

  negotiate(received: Uint8Array, wire: DecoratorWire): DecoratorStep {
    if (!this.#incoming) this.#prove(wire);
    if (received.length === 0) return { kind: "more", consumed: 0 };
    if (received[0] !== this.#secret) throw new WireError("bad-decoration", "another secret");
    this.#prove(wire);
    return { kind: "ready", consumed: 1, cipher: new RecordCipher() };
  }

  #prove(wire: DecoratorWire): void {
    if (!this.#hasSpoken) wire.send(Uint8Array.of(this.#secret));
    this.#hasSpoken = true;
  }
}
