import { networkInterfaces } from "node:os";

/** An address of this machine, and its network as "ADDRESS/BITS"; null when the system does not say. */
export interface OwnInterface {
  readonly address: string;
  readonly cidr: string | null;
  readonly family: "IPv4" | "IPv6";
  /** It leads nowhere but to this machine. */
  readonly internal: boolean;
}

/** The addresses that this machine has at this moment. Takes ten times as long as answering an announce. */
export function ownInterfaces(): readonly OwnInterface[] {
  return Object.values(networkInterfaces()).flatMap((each) => each ?? []);
}
