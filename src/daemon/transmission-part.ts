import { statfs } from "node:fs/promises";
import type { Accounts } from "../accounts/accounts.ts";
import type { EncryptionMode } from "../base/encryption-mode.ts";
import { toHex } from "../base/bytes.ts";
import { systemCode } from "../base/system-code.ts";
import type { TransportMode } from "../base/transport-mode.ts";
import type { TransferParts } from "../hub/control-parts.ts";
import { siteHosts } from "../hub/site-address.ts";
import { TransmissionRoute } from "../hub/transmission-route.ts";
import type { NodeWays, RpcNode } from "../transmission-rpc/rpc-node.ts";
import { TransmissionRpc } from "../transmission-rpc/transmission-rpc.ts";
import { isDiskFull } from "./is-disk-full.ts";
import type { NodeDiscovery } from "./node-discovery.ts";
import type { NodeEngine } from "./node-engine.ts";
import type { Ends, Ground } from "./node-ground.ts";
import type { SitePort } from "./site-port.ts";

const SESSION_ID_BYTES = 24;

interface TransmissionNeeds {
  readonly port: SitePort;
  readonly engine: NodeEngine;
  readonly discovery: NodeDiscovery;
  readonly transfers: TransferParts;
  readonly accounts: Accounts;
}

/** Opens Transmission's RPC on the web port. */
export async function openTransmission(
  ground: Ground,
  needs: TransmissionNeeds,
  ends: Ends,
): Promise<TransmissionRoute> {
  const { config, state, clock, random, log, turns } = ground;
  const { port, transfers, accounts } = needs;
  const rpc = new TransmissionRpc({
    transfers: transfers.service,
    settings: state.store.settings,
    node: rpcNode(ground, needs),
    clock,
    run: (work) => turns.run(work),
    sessionId: toHex(random.bytes(SESSION_ID_BYTES)),
  });
  ends.push(async () => rpc.close());
  if (!config.services.site && !(await accounts.hasAny())) {
    log.warn("Transmission's RPC lets nobody in, because there is no account yet", {
      remedy: "stop the node; everseed hub init --data FOLDER --admin NAME --password-file FILE",
      folder: ground.dataDir,
    });
  }
  return new TransmissionRoute({
    rpc,
    accounts,
    hosts: siteHosts(config, port.siteUrl),
    publicUrl: config.publicUrl && port.siteUrl,
    random,
    log,
    isDiskFull,
  });
}

const ENCRYPTION: Readonly<Record<EncryptionMode, NodeWays["encryption"]>> = {
  require: "required",
  prefer: "preferred",
  // Nearest to it: streams are plain.
  off: "tolerated",
};

function rpcNode(
  { config, settings, dataDir, version }: Ground,
  { engine, discovery, transfers }: TransmissionNeeds,
): RpcNode {
  const { session, calls } = engine;
  const wanted = <Value>(name: string): Value | null =>
    (settings.view().find(({ key }) => key === name)?.value ?? null) as Value | null;
  return {
    version,
    peerPort: () => session.port,
    stateFolder: dataDir,
    connectionsPerTorrentMax: session.settings.connectionsPerTorrentMax,
    filterLists: config.engine.ipFilters.length,
    memoryBytes: config.limits.memoryBytesMax,
    ways: () => ({
      // Without a choice of anybody it is as it has turned out.
      dht: wanted<boolean>("discovery.dht") ?? discovery.dht.status().state !== "off",
      lsd: wanted<boolean>("discovery.lsd") ?? discovery.lsd.status().state !== "off",
      pex: wanted<boolean>("discovery.pex") ?? true,
      utp: wanted<TransportMode>("engine.transport") !== "tcp",
      portForwarding:
        wanted<boolean>("router.mapPorts") ?? discovery.router.status().state !== "off",
      encryption: ENCRYPTION[wanted<EncryptionMode>("engine.encryption") ?? "prefer"],
      connectionsMax: wanted<number>("engine.connectionsMax") ?? session.settings.connectionsMax,
    }),
    changeWays: async (change) => {
      const refusal = await settings.change({ settings: keysOf(change) });
      return refusal?.message;
    },
    wasReached: () => calls.lastMs !== undefined,
    space: spaceOn,
    openUrl: transfers.openUrl,
  };
}

/** The keys of the configuration for what Transmission calls otherwise. */
function keysOf(change: Partial<NodeWays>): Record<string, boolean | number | string> {
  const { dht, lsd, pex, utp, portForwarding, encryption, connectionsMax } = change;
  return {
    ...(dht !== undefined && { "discovery.dht": dht }),
    ...(lsd !== undefined && { "discovery.lsd": lsd }),
    ...(pex !== undefined && { "discovery.pex": pex }),
    ...(utp !== undefined && { "engine.transport": utp ? "both" : "tcp" }),
    ...(portForwarding !== undefined && { "router.mapPorts": portForwarding }),
    ...(encryption !== undefined && {
      "engine.encryption": encryption === "required" ? "require" : "prefer",
    }),
    ...(connectionsMax !== undefined && { "engine.connectionsMax": connectionsMax }),
  };
}

async function spaceOn(folder: string): ReturnType<RpcNode["space"]> {
  try {
    const { bsize, bavail, blocks } = await statfs(folder);
    return { free: bavail * bsize, total: blocks * bsize };
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
