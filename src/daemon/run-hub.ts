import { resolve } from "node:path";
import type { DhtReach } from "../api/reach.ts";
import { invariant } from "../base/errors.ts";
import type { Config } from "../config/config.ts";
import { controlSocketIn, runtimeIn } from "../config/places.ts";
import type { FaultCounts } from "../platform/fault-counts.ts";
import type { Log } from "../ports/log.ts";
import type { HubConfig } from "./hub-config.ts";
import type { LoadSettings } from "./reload-settings.ts";
import { runNode } from "./run-node.ts";

/** A running hub. */
export interface RunningHub {
  /** The address for browsers. */
  readonly url: string;
  /** The one-time link; `undefined` when there is an administrator. */
  readonly setupLink: string | undefined;
  readonly dataDir: string;
  /** As bound. */
  readonly webPort: number;
  readonly peerPort: number;
  /** Of the tracker; 0 when it is off. */
  readonly udpPort: number;
  /** Bytes of the everseed since the start. */
  stats(): { uploaded: number; downloaded: number; peers: number };
  /** How the DHT is doing. */
  dht(): DhtReach;
  /** Faults of others since the start, by kind. */
  faults(): FaultCounts["totals"];
  /** Ends within 10 s; safe to repeat. */
  stop(): Promise<void>;
}

/**
 * Runs a hub: a node with a web site. Its control socket is in its data folder.
 *
 * @param more.origins - Who gave which key of the settings: for the others, the values that the page stored hold.
 * @param more.configFile - Its configuration file, which need not exist.
 * @throws {CommandError} (rejects) As `runNode`.
 */
export async function runHub(
  config: Config,
  log: Log,
  more: {
    readonly origins?: HubConfig["origins"];
    readonly configFile?: string;
    readonly reload?: LoadSettings;
  } = {},
): Promise<RunningHub> {
  const node = await runNode(
    {
      // A hub without its web site would be a node.
      config: { ...config, services: { ...config.services, site: true } },
      origins: more.origins ?? new Map(),
      preset: "hub",
      configFile: more.configFile,
      reload: more.reload,
      socket: controlSocketIn(runtimeIn(resolve(config.dataDir))),
    },
    log,
  );
  const { site, dataDir } = node;
  invariant(site, "services.site is on");
  const { webPort, peerPort, udpPort } = node.status();
  return {
    url: site.url,
    setupLink: site.setupLink,
    dataDir,
    webPort: webPort ?? 0,
    peerPort,
    udpPort: udpPort ?? 0,
    stats: () => site.stats(),
    dht: () => node.dht(),
    faults: () => node.faults(),
    stop: () => node.stop(),
  };
}
