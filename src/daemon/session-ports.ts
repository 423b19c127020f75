import type { SessionPorts } from "../commands/command-ports.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeKeyExchange } from "../platform/node-key-exchange.ts";
import { NodeRandom } from "../platform/node-random.ts";
import { NodeSignatures } from "../platform/node-signatures.ts";
import { TcpNet } from "../platform/tcp-net.ts";
import { UdpNet } from "../platform/udp-net.ts";
import type { Log } from "../ports/log.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import { diskPorts } from "./disk-ports.ts";
import { type Network, OPEN_NETWORK } from "./open-network.ts";
import { fetchMaker, ownNetworks, rangeLineOpener } from "./open-fetch.ts";

/** The real ports of a command that exchanges pieces with peers. */
export function sessionPorts(
  log: Log,
  { network = OPEN_NETWORK, faults }: { network?: Network; faults?: OutsideFaults } = {},
): SessionPorts {
  return {
    ...diskPorts(log),
    clock: new NodeClock(),
    random: new NodeRandom(),
    keyExchange: new NodeKeyExchange(),
    openTransports: (allowRemote) => network.guard([new TcpNet({ log, allowRemote })]),
    datagrams: new UdpNet({ log }),
    signatures: new NodeSignatures(),
    makeFetch: fetchMaker(),
    openRangeLine: rangeLineOpener(),
    networks: ownNetworks(),
    log,
    faults,
  };
}
