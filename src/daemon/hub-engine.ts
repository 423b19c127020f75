import type { EncryptionMode } from "../base/encryption-mode.ts";
import type { Endpoint } from "../base/endpoint.ts";
import type { PeerAddress } from "../base/peer-address.ts";
import { type Config, PEER_PORT } from "../config/config.ts";
import { memoryShares } from "../config/memory-shares.ts";
import type { EnginePorts } from "../engine/session-contract.ts";
import { Session } from "../engine/session.ts";
import type { SleepingMarks } from "../mse/sleeping-marks.ts";
import { streamEncryption } from "../mse/stream-encryption.ts";
import { descriptorLimit } from "../platform/descriptor-limit.ts";
import type { NodeDisk } from "../platform/node-disk.ts";
import { NodeKeyExchange } from "../platform/node-key-exchange.ts";
import type { Log } from "../ports/log.ts";
import type { Everseed } from "../publish/everseed.ts";
import { PeerNet } from "../commands/peer-net.ts";
import { connectionsWithin } from "./descriptor-share.ts";
import { opensRouters } from "./hub-neighbours.ts";
import type { Network } from "./network.ts";
import type { SharedPort } from "../udp/shared-port.ts";

type EngineWorld = Pick<EnginePorts, "clock" | "random" | "log" | "faults" | "webRanges"> & {
  readonly disk: NodeDisk;
  readonly network: Network;
  /** The torrents that `wake` wakes. */
  readonly sleeping: SleepingMarks;
  /** False refuses to connect to an address (house rule 8). */
  readonly allowRemote: (remote: Endpoint) => boolean;
  /** Asked for each connection. */
  readonly encryption: () => EncryptionMode;
  /** A peer has dialled us. */
  readonly onCall: (remote: PeerAddress) => void;
};

/** The engine of the everseed, and the UDP port with the number where it listens for peers. */
export interface HubEngine {
  readonly session: Session;
  /** Open for each protocol as soon as it binds its part. */
  readonly udp: SharedPort;
  close(): Promise<void>;
}

/**
 * Opens the engine of the everseed, and its port for peers. If its port is taken it uses a free
 * one, and the log says so.
 *
 * @throws {CommandError} (rejects) When the requested port cannot be opened.
 */
export async function openHubEngine(
  config: Config,
  world: EngineWorld & Pick<Everseed, "wake">,
): Promise<HubEngine> {
  const { clock, random, disk, log, faults, wake, sleeping } = world;
  const { network, allowRemote, encryption, onCall } = world;
  const net = new PeerNet({
    mode: config.engine.transport,
    openTcp: (allow) => network.openTcp(allow),
    guard: (transports) => network.guard(transports),
    datagrams: network.datagrams,
    behindProxy: network.behindProxy,
    clock,
    random,
    log,
    allowRemote,
  });
  const memory = memoryShares(config.limits.memoryBytesMax);
  const session = new Session({
    ports: {
      clock,
      random,
      log,
      faults,
      transports: net.transports,
      content: disk,
      receiveSlabs: disk.createSlabPool(memory.receive),
      sendSlabs: disk.createSlabPool(memory.send),
      webRanges: world.webRanges,
    },
    settings: {
      connectionsMax: possibleConnections(config.engine.connectionsMax, log),
      downBytesPerSecond: config.engine.downBytesPerSecond,
      upBytesPerSecond: config.engine.upBytesPerSecond,
    },
    wake,
    onCall,
    opensRouters: opensRouters(config),
    decorators: streamEncryption({
      mode: encryption,
      clock,
      random,
      keyExchange: new NodeKeyExchange(),
      sleeping,
    }),
  });
  const close = async (): Promise<void> => {
    await session.close();
    await net.close();
  };
  const host = peerHostOf(config);
  const ports = config.engine.port === undefined ? [PEER_PORT, 0] : [config.engine.port];
  try {
    await net.listen(
      {
        host,
        ports,
        setting: "the key engine.port",
        handleTaken: (port) =>
          log.warn(
            `port ${port} for peers is taken by another program: the everseed uses a free one, which differs at each start. ` +
              "The key engine.port chooses a port",
          ),
      },
      (address) => session.listen(address),
      true,
    );
    return { session, udp: net.udp, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @returns The connections to peers that the system lets this process have beside everything else. */
export function possibleConnections(wanted: number, log: Log): number {
  const limit = descriptorLimit();
  const possible = connectionsWithin(wanted, limit);
  if (possible < wanted) {
    log.warn(
      `Only ${limit} files and connections may be open: at most ${possible} of ${wanted} peers are connected at once. ` +
        "ulimit -n, or LimitNOFILE= in a service, allows more",
    );
  }
  return possible;
}

/** The address that peers connect to. */
export function peerHostOf({ engine, host }: Config): string {
  return engine.host ?? host;
}
