import { invariant } from "../base/errors.ts";
import { type Config, PEER_PORT } from "../config/config.ts";
import type { EnginePorts } from "../engine/session-contract.ts";
import { Session } from "../engine/session.ts";
import type { NodeDisk } from "../platform/node-disk.ts";
import { TcpNet } from "../platform/tcp-net.ts";
import type { Everseed } from "../publish/everseed.ts";
import type { CommandError } from "../commands/command-error.ts";
import { listenTrouble } from "../commands/open-session.ts";

// Of `limits.memoryBytesMax`: blocks being sent, pieces received.
const SEND_SHARE = 3 / 8;
const RECEIVE_SHARE = 1 / 8;

type EngineWorld = Pick<EnginePorts, "clock" | "random" | "log" | "faults"> & {
  readonly disk: NodeDisk;
};

/**
 * Opens the engine of the everseed, and its port for peers. Its own port may be taken: then it has a free one, and the
 * log says so.
 *
 * @throws {CommandError} (rejects) When the port that was asked for cannot be had.
 */
export async function openHubEngine(
  config: Config,
  { clock, random, disk, log, faults, wake }: EngineWorld & Pick<Everseed, "wake">,
): Promise<Session> {
  const memory = config.limits.memoryBytesMax;
  const session = new Session({
    ports: {
      clock,
      random,
      log,
      faults,
      net: new TcpNet({ log }),
      content: disk,
      receiveSlabs: disk.createSlabPool(memory * RECEIVE_SHARE),
      sendSlabs: disk.createSlabPool(memory * SEND_SHARE),
    },
    settings: {
      connectionsMax: config.engine.connectionsMax,
      downBytesPerSecond: config.engine.downBytesPerSecond,
      upBytesPerSecond: config.engine.upBytesPerSecond,
    },
    wake,
  });
  const host = config.engine.host ?? config.host;
  const ports = config.engine.port === undefined ? [PEER_PORT, 0] : [config.engine.port];
  let trouble: CommandError | undefined;
  for (const port of ports) {
    try {
      await session.listen({ host, port });
      return session;
    } catch (error) {
      trouble = listenTrouble(error, { host, port, setting: "the key engine.port" });
      if (trouble.code !== "port-taken" || ports.at(-1) === port) break;
      log.warn(
        `port ${port} for peers is taken by another program: a free one is used, which is another at each start. ` +
          "The key engine.port chooses one",
      );
    }
  }
  await session.close();
  invariant(trouble, "there is a port to try");
  throw trouble;
}
