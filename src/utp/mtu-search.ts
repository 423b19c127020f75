/** What every way carries: the least that IPv4 has to, without the heads of IP and UDP. */
const FLOOR_BYTES = 548;
/** Of IPv6, the same. */
const FLOOR_BYTES_IPV6 = 1232;
const START_BYTES_IPV4 = 1400;
/** An Ethernet's packet without the heads of IP and UDP. */
const CEILING_BYTES_IPV4 = 1472;
const CEILING_BYTES_IPV6 = 1452;
/** The search ends when it knows the size to so many bytes. */
const PRECISION_BYTES = 12;
/** A probe of one size may get lost by chance. */
const TRIES = 3;

/**
 * Finds the largest datagram that reaches the peer, by sending ordinary packets of other sizes. At most one is on its way.
 * Node cannot forbid fragments, so what arrives may have been cut on the way: the search errs only where fragments pass.
 *
 * searching -> done; searching again, and from below, when large packets stop arriving.
 */
export class MtuSearch {
  #sizeBytes: number;
  #ceilingBytes: number;
  readonly #floorBytes: number;
  /** The ceiling first: most ways carry an Ethernet's packet, and then this was all. */
  #nextBytes: number;
  #failures = 0;
  #isProbing = false;
  #hasProof = false;

  constructor(family: 4 | 6) {
    this.#floorBytes = family === 4 ? FLOOR_BYTES : FLOOR_BYTES_IPV6;
    this.#sizeBytes = family === 4 ? START_BYTES_IPV4 : FLOOR_BYTES_IPV6;
    this.#ceilingBytes = family === 4 ? CEILING_BYTES_IPV4 : CEILING_BYTES_IPV6;
    this.#nextBytes = this.#ceilingBytes;
  }

  /** Bytes of an ordinary datagram, the head of uTP included. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** There is nothing more to find out. */
  get isDone(): boolean {
    return this.#ceilingBytes - this.#sizeBytes < PRECISION_BYTES;
  }

  /** @returns The size to try with the next packet; `undefined` when there is nothing to try now. */
  nextProbe(): number | undefined {
    if (this.#isProbing || this.isDone) return undefined;
    return this.#nextBytes;
  }

  probeSent(): void {
    this.#isProbing = true;
  }

  probeArrived(bytes: number): void {
    this.#hasProof = true;
    this.#sizeBytes = Math.max(this.#sizeBytes, bytes);
    this.#goOn();
  }

  probeLost(bytes: number): void {
    this.#isProbing = false;
    this.#failures += 1;
    if (this.#failures < TRIES) return;
    this.#ceilingBytes = Math.max(bytes - 1, this.#sizeBytes);
    this.#goOn();
  }

  #goOn(): void {
    this.#isProbing = false;
    this.#failures = 0;
    this.#nextBytes = Math.ceil((this.#sizeBytes + this.#ceilingBytes) / 2);
  }

  /** A datagram of the ordinary size arrived. */
  sizeArrived(): void {
    this.#hasProof = true;
  }

  /** Nothing arrives: perhaps our packets are too large. Later packets are small until larger ones have arrived. */
  handleBlackHole(): void {
    if (this.#hasProof || this.#sizeBytes === this.#floorBytes) return;
    this.#ceilingBytes = this.#sizeBytes - 1;
    this.#sizeBytes = this.#floorBytes;
    this.#goOn();
  }
}
