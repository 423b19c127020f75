import type { EncryptionMode } from "../base/encryption-mode.ts";
import type { TransportMode } from "../base/transport-mode.ts";
import type { Session } from "../engine/session.ts";
import type { NetGuard } from "../guard/net-guard.ts";
import { SleepingMarks } from "../mse/sleeping-marks.ts";
import type { SharedPort } from "../udp/shared-port.ts";
import { OutsideCalls } from "./engine-reach.ts";
import { openHubEngine, possibleConnections } from "./hub-engine.ts";
import { hubGuard } from "./hub-guard.ts";
import { openHubNetwork, withPossibleTransport } from "./hub-network.ts";
import type { Network } from "./network.ts";
import type { Ends, Ground } from "./node-ground.ts";
import { ownNetworks } from "./open-fetch.ts";
import { SessionRates } from "./session-rates.ts";
import { Sleepers } from "./sleepers.ts";

/** The engine of a node, and its way to the network. */
export interface NodeEngine {
  readonly session: Session;
  readonly udp: SharedPort;
  readonly network: Network;
  readonly guard: NetGuard;
  readonly encryption: () => EncryptionMode;
  readonly transport: TransportMode;
  readonly rates: SessionRates;
  /** Parts that keep torrents add themselves. */
  readonly sleepers: Sleepers;
  /** Is told of what they add and give up later. */
  readonly sleeping: SleepingMarks;
  readonly calls: OutsideCalls;
}

/** @throws {CommandError} (rejects) When the requested port cannot be opened. */
export async function openNodeEngine(ground: Ground, ends: Ends): Promise<NodeEngine> {
  const { settings, clock, random, disk, log, faults } = ground;
  const encryption = settings.live<EncryptionMode>("engine.encryption");
  const calls = new OutsideCalls(ownNetworks(), clock);
  const sleepers = new Sleepers();
  const sleeping = new SleepingMarks({ clock, all: () => sleepers.all() });
  const network = await openHubNetwork(settings, log);
  ends.push(async () => network[Symbol.dispose]());
  const guard = hubGuard(network);
  const config = withPossibleTransport(settings, network, log);
  const { transport } = config.engine;
  const engine = await openHubEngine(config, {
    sleeping,
    network,
    clock,
    random,
    disk,
    log,
    faults,
    encryption,
    onCall: (remote) => calls.handleCall(remote),
    wake: sleepers.wake,
    allowRemote: (peer) => guard.admitPeer(peer),
    webRanges: guard.webSeeds,
  });
  ends.push(() => engine.close());
  const { session, udp } = engine;
  const rates = new SessionRates(settings, session);
  settings.whenChanged<number>("engine.connectionsMax", (connectionsMax) =>
    session.setLimits({ connectionsMax: possibleConnections(connectionsMax, log) }),
  );
  return { session, udp, network, guard, encryption, transport, rates, sleepers, sleeping, calls };
}
