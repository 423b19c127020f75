import type { SessionPorts } from "../commands/command-ports.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeKeyExchange } from "../platform/node-key-exchange.ts";
import { NodeRandom } from "../platform/node-random.ts";
import { NodeSignatures } from "../platform/node-signatures.ts";
import type { Log } from "../ports/log.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import { dhtMemory, dhtMemoryPath } from "./dht-memory.ts";
import { diskPorts } from "./disk-ports.ts";
import type { Network } from "./network.ts";
import { openNetwork } from "./open-network.ts";
import { routerPorts } from "./router-ports.ts";

/** The real ports of a command that exchanges pieces with peers. */
export function sessionPorts(
  log: Log,
  { network = openNetwork(log), faults }: { network?: Network; faults?: OutsideFaults } = {},
): SessionPorts {
  return {
    ...diskPorts(log),
    clock: new NodeClock(),
    random: new NodeRandom(),
    keyExchange: new NodeKeyExchange(),
    openTcp: (allowRemote) => network.openTcp(allowRemote),
    guardTransports: (transports) => network.guard(transports),
    datagrams: network.datagrams,
    multicast: network.multicast,
    signatures: new NodeSignatures(),
    dhtMemory: dhtMemory(dhtMemoryPath(process.env), log),
    makeFetch: network.makeFetch,
    openRangeLine: network.openRangeLine,
    networks: network.networks,
    refusalOf: network.refusalOf,
    behindProxy: network.behindProxy,
    routerPorts,
    log,
    faults,
  };
}
