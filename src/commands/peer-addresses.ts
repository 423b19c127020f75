import { lookup } from "node:dns/promises";
import { addressBytes, type Endpoint, formatAddress } from "../base/endpoint.ts";
import { CommandError } from "./command-error.ts";

/** A peer as a person names it. */
export interface PeerAddress {
  /** A name or a literal address. */
  readonly host: string;
  readonly port: number;
}

/** @throws {CommandError} `unreachable` when a name is not known. */
export async function resolvePeers(peers: readonly PeerAddress[]): Promise<Endpoint[]> {
  return Promise.all(
    peers.map(async ({ host, port }) => {
      const literal = addressBytes(host);
      return { address: literal ? formatAddress(literal) : await resolveName(host), port };
    }),
  );
}

async function resolveName(host: string): Promise<string> {
  try {
    const { address } = await lookup(host);
    return address;
  } catch (error) {
    throw new CommandError("unreachable", `There is no machine called ${host}.`, {
      subject: host,
      hint: "check the spelling, or give its address.",
      cause: error,
    });
  }
}
