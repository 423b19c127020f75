import { addressBytes, type Endpoint, formatAddress } from "../base/endpoint.ts";
import type { SessionPorts } from "./command-ports.ts";
import { CommandError } from "./command-error.ts";

/** A peer as a user names it. */
export interface NamedPeer {
  /** A name or a literal address. */
  readonly host: string;
  readonly port: number;
}

/** @throws {CommandError} `unreachable` when a name cannot be resolved; `bad-plan` for a name behind a proxy. */
export async function resolvePeers(
  ports: Pick<SessionPorts, "datagrams" | "behindProxy">,
  peers: readonly NamedPeer[],
): Promise<Endpoint[]> {
  return Promise.all(
    peers.map(async ({ host, port }) => {
      const literal = addressBytes(host);
      return { address: literal ? formatAddress(literal) : await resolveName(ports, host), port };
    }),
  );
}

async function resolveName(
  { datagrams, behindProxy }: Pick<SessionPorts, "datagrams" | "behindProxy">,
  host: string,
): Promise<string> {
  if (behindProxy) {
    const why = "Looking its name up would go around the proxy.";
    throw new CommandError("bad-plan", `The peer ${host} has to be named by its address. ${why}`, {
      subject: host,
    });
  }
  const [address] = await datagrams.resolve(host);
  if (address !== undefined) return address;
  throw new CommandError("unreachable", `There is no machine called ${host}.`, {
    subject: host,
    hint: "check the spelling, or give its address.",
  });
}
