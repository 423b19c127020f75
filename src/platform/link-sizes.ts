import fs from "node:fs";
import { addressBytes, formatAddress } from "../base/endpoint.ts";
import { isLoopback } from "../base/host-name.ts";
import { networkList } from "../base/network-list.ts";
import { type OwnInterface, ownInterfaces } from "./own-interfaces.ts";

/** How long a list of interfaces is trusted; interfaces come and go. */
const KEPT_MS = 10_000;
/** The heads of IP and UDP. */
const HEAD_BYTES_IPV4 = 28;
const HEAD_BYTES_IPV6 = 48;
/** What UDP can carry at most, over IPv4. */
const DATAGRAM_BYTES_MAX = 65_507;
const DIGITS_MAX = 10;

/** The largest packet of an interface, the head of IP included; `undefined` where the system does not tell it. */
type PacketBytesOf = (name: string) => number | undefined;

interface Known {
  readonly machine: ReadonlySet<string>;
  readonly loopbackBytes: number | undefined;
  readonly links: readonly {
    readonly contains: (address: Uint8Array) => boolean;
    readonly packetBytes: number;
  }[];
  readonly atMs: number;
}

/** The largest datagrams that the links of this machine take as one packet each. */
export class LinkSizes {
  readonly #interfaces: () => readonly OwnInterface[];
  readonly #packetBytesOf: PacketBytesOf;
  readonly #nowMs: () => number;
  #known: Known | undefined;

  constructor(
    interfaces: () => readonly OwnInterface[] = ownInterfaces,
    packetBytesOf: PacketBytesOf = packetBytesOfSystem,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#interfaces = interfaces;
    this.#packetBytesOf = packetBytesOf;
    this.#nowMs = nowMs;
  }

  /** @returns `undefined` for addresses behind a router: the ways there carry ordinary packets, and nobody tells more. */
  bytesTo(address: string): number | undefined {
    const bytes = addressBytes(address);
    if (!bytes) return undefined;
    const known = this.#look();
    const packetBytes =
      isLoopback(address) || known.machine.has(address)
        ? known.loopbackBytes
        : known.links.find(({ contains }) => contains(bytes))?.packetBytes;
    if (packetBytes === undefined) return undefined;
    const headBytes = bytes.length === 4 ? HEAD_BYTES_IPV4 : HEAD_BYTES_IPV6;
    return Math.min(packetBytes - headBytes, DATAGRAM_BYTES_MAX);
  }

  #look(): Known {
    const nowMs = this.#nowMs();
    if (this.#known && nowMs - this.#known.atMs < KEPT_MS) return this.#known;
    const machine = new Set<string>();
    const links: Known["links"][number][] = [];
    let loopbackBytes: number | undefined;
    for (const { name, address, cidr, internal } of this.#interfaces()) {
      const own = addressBytes(address);
      if (own) machine.add(formatAddress(own));
      const packetBytes = this.#packetBytesOf(name);
      if (packetBytes === undefined) continue;
      if (internal) loopbackBytes ??= packetBytes;
      else if (cidr !== null) links.push({ contains: networkList([cidr]), packetBytes });
    }
    this.#known = { machine, loopbackBytes, links, atMs: nowMs };
    return this.#known;
  }
}

/** Linux tells it in a file; elsewhere nobody does without another program. */
function packetBytesOfSystem(name: string): number | undefined {
  let text: string;
  try {
    text = fs.readFileSync(`/sys/class/net/${encodeURIComponent(name)}/mtu`, "latin1");
  } catch {
    // Another system, or the interface has just gone: packets of the ordinary size serve.
    return undefined;
  }
  const digits = text.trim();
  return /^[0-9]+$/.test(digits) && digits.length <= DIGITS_MAX ? Number(digits) : undefined;
}
