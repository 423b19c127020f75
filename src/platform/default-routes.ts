import { closeSync, openSync, readSync } from "node:fs";
import { formatAddress } from "../base/endpoint.ts";
import { fromHex } from "../base/bytes.ts";
import { systemCode } from "../base/system-code.ts";

/** Where a machine sends what is for the world. */
export interface DefaultRoute {
  readonly gateway: string;
  readonly interface: string;
}

/** The tables of Linux; other systems have none, and tell the way by programs only. */
const TABLE_IPV4 = "/proc/net/route";
const TABLE_IPV6 = "/proc/net/ipv6_route";
/** Bytes of a table. A router may have a million routes; the default one is among the first. */
const TABLE_BYTES_MAX = 256 * 1024;

const UP = 0x1;
const GATEWAY = 0x2;

/** The default routes of this machine; `undefined` where there is none, or the system does not tell. */
export function defaultRoutes(): {
  readonly ipv4: DefaultRoute | undefined;
  readonly ipv6: DefaultRoute | undefined;
} {
  return { ipv4: ipv4Route(readTable(TABLE_IPV4)), ipv6: ipv6Route(readTable(TABLE_IPV6)) };
}

interface Ranked extends DefaultRoute {
  readonly metric: number;
}

/** @param table - As in `/proc/net/route`: addresses are hexadecimal, in the byte order of the machine. */
export function ipv4Route(table: string): DefaultRoute | undefined {
  return best(
    lines(table).flatMap((fields) => {
      const [name = "", target, gateway = "", flags = "", , , metric, mask] = fields;
      const isDefault = target === "00000000" && mask === "00000000";
      const bytes = fromHex(gateway);
      if (!isDefault || !isUsable(flags) || bytes?.length !== 4) return [];
      return {
        gateway: formatAddress(bytes.toReversed()),
        interface: name,
        metric: Number(metric),
      };
    }),
  );
}

/** @param table - As in `/proc/net/ipv6_route`. */
export function ipv6Route(table: string): DefaultRoute | undefined {
  return best(
    lines(table).flatMap((fields) => {
      const [target, bits, , , gateway = "", metric = "", , , flags = "", name = ""] = fields;
      const isDefault = bits === "00" && /^0{32}$/.test(target ?? "");
      const bytes = fromHex(gateway);
      if (!isDefault || !isUsable(flags) || bytes?.length !== 16) return [];
      const address = formatAddress(bytes);
      // A link-local address is one of an interface only.
      const scope = address.startsWith("fe80:") ? `%${name}` : "";
      const rank = Number.parseInt(metric, 16);
      return { gateway: `${address}${scope}`, interface: name, metric: rank };
    }),
  );
}

function lines(table: string): string[][] {
  return table.split("\n").map((line) => line.trim().split(/\s+/));
}

function isUsable(flags: string): boolean {
  const bits = Number.parseInt(flags, 16);
  return (bits & UP) !== 0 && (bits & GATEWAY) !== 0;
}

function best(routes: readonly Ranked[]): DefaultRoute | undefined {
  const [first] = routes.toSorted((a, b) => a.metric - b.metric);
  return first && { gateway: first.gateway, interface: first.interface };
}

function readTable(path: string): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return "";
  }
  try {
    const bytes = Buffer.alloc(TABLE_BYTES_MAX);
    let length = 0;
    for (;;) {
      // The system hands the table out in parts.
      const read = readSync(file, bytes, length, bytes.length - length, null);
      if (read === 0) return bytes.toString("latin1", 0, length);
      length += read;
    }
  } finally {
    closeSync(file);
  }
}
