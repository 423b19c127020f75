import { addressBytes, type Endpoint, formatAddress } from "../base/endpoint.ts";
import type { DatagramNet } from "../ports/net.ts";
import { CommandError } from "./command-error.ts";

/** A peer as a user names it. */
export interface NamedPeer {
  /** A name or a literal address. */
  readonly host: string;
  readonly port: number;
}

/** @throws {CommandError} `unreachable` when a name cannot be resolved. */
export async function resolvePeers(
  names: Pick<DatagramNet, "resolve">,
  peers: readonly NamedPeer[],
): Promise<Endpoint[]> {
  return Promise.all(
    peers.map(async ({ host, port }) => {
      const literal = addressBytes(host);
      return { address: literal ? formatAddress(literal) : await resolveName(names, host), port };
    }),
  );
}

async function resolveName(names: Pick<DatagramNet, "resolve">, host: string): Promise<string> {
  const [address] = await names.resolve(host);
  if (address !== undefined) return address;
  throw new CommandError("unreachable", `There is no machine called ${host}.`, {
    subject: host,
    hint: "check the spelling, or give its address.",
  });
}
