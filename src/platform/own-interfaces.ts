import { networkInterfaces } from "node:os";

/**
 * An address of this machine, and its network as "ADDRESS/BITS"; null when the system does not
 * provide it.
 */
export interface OwnInterface {
  /** Of the interface: `eth0`. */
  readonly name: string;
  readonly address: string;
  readonly cidr: string | null;
  readonly family: "IPv4" | "IPv6";
  /** True for loopback addresses. */
  readonly internal: boolean;
}

/**
 * The current addresses of this machine. The call takes ten times as long as answering an announce.
 */
export function ownInterfaces(): readonly OwnInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).map((each) => ({ name, ...each })),
  );
}
