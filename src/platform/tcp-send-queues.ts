import { readFile } from "node:fs/promises";
import { endianness } from "node:os";
import { addressBytes, type Endpoint } from "../base/endpoint.ts";

/** Linux lists its connections here, one a line. Other systems have no such file. */
const TABLE = "/proc/self/net/tcp";
/** Absent where IPv6 is switched off. */
const TABLE_6 = "/proc/self/net/tcp6";
/**
 * The shortest time between two reads of the tables: a read takes a millisecond for each few
 * hundred connections of the machine.
 */
const READ_MS = 1_000;
/** A connection not queried for this long is dropped. */
const FORGET_MS = 5_000;
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

interface Entry {
  askedAtMs: number;
  /** `undefined` before the first read. */
  bytes: number | undefined;
}

/**
 * Reports how many bytes the operating system has taken and the other machine has not acknowledged.
 * Only Linux provides this, and `/proc` is read in the background, so an answer is as old as the
 * previous query.
 */
export class TcpSendQueues {
  /** Keyed by local and remote address as the tables write them. */
  readonly #entries = new Map<string, Entry>();
  #readAtMs = 0;
  #isReading = false;
  #isTold = true;

  /** @returns `undefined` when the system does not provide it, or on the first query. */
  look(local: Endpoint, remote: Endpoint): number | undefined {
    if (!this.#isTold) return undefined;
    const now = performance.now();
    const name = `${tableAddress(local)} ${tableAddress(remote)}`;
    const known = this.#entries.get(name);
    if (known) known.askedAtMs = now;
    else this.#entries.set(name, { askedAtMs: now, bytes: undefined });
    if (!this.#isReading && now - this.#readAtMs >= READ_MS) void this.#read(now);
    return known?.bytes;
  }

  async #read(now: number): Promise<void> {
    this.#isReading = true;
    for (const [name, { askedAtMs }] of this.#entries) {
      if (now - askedAtMs > FORGET_MS) this.#entries.delete(name);
    }
    const [table, table6] = await Promise.allSettled(
      [TABLE, TABLE_6].map(async (path) => readFile(path, "latin1")),
    );
    if (table?.status === "fulfilled") this.#take(table.value);
    // Not Linux, or a sandbox without /proc: callers do without the figure.
    else this.#isTold = false;
    if (table6?.status === "fulfilled") this.#take(table6.value);
    this.#readAtMs = performance.now();
    this.#isReading = false;
  }

  /** Lines are `sl: local remote state send-queue:receive-queue ...`, all in hexadecimal. */
  #take(table: string): void {
    for (const line of table.split("\n")) {
      const start = line.indexOf(": ") + 2;
      const [local, remote, , queues] = line.slice(start).split(" ", 4);
      if (start < 2 || !local || !remote || !queues) continue;
      const entry = this.#entries.get(`${plain(local)} ${plain(remote)}`);
      if (entry) entry.bytes = Number.parseInt(queues.slice(0, queues.indexOf(":")), 16);
    }
  }
}

/** The form of an IPv4 address in the IPv6 table: a mapped one. */
function plain(address: string): string {
  return address.startsWith(MAPPED_WORDS) ? address.slice(MAPPED_WORDS.length) : address;
}

/** The kernel's form: 32-bit words in this machine's byte order, then the port. */
function tableAddress({ address, port }: Endpoint): string {
  return `${words(addressBytes(address) ?? [])}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
}

function words(bytes: ArrayLike<number>): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    const word = [0, 1, 2, 3].map((index) => bytes[at + index]!);
    if (endianness() === "LE") word.reverse();
    text += word.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join("");
  }
  return text;
}

const MAPPED_WORDS = words(MAPPED);
