import { resolve } from "node:path";
import type { NodeStatus } from "../api/node.ts";
import type { DhtReach } from "../api/reach.ts";
import { closedFileTrouble } from "../commands/data-folder-trouble.ts";
import type { Preset } from "../config/presets.ts";
import type { ControlParts } from "../hub/control-parts.ts";
import { isTransmissionPath, type TransmissionRoute } from "../hub/transmission-route.ts";
import { BoundedLog } from "../platform/bounded-log.ts";
import { endParts } from "../platform/end-parts.ts";
import type { FaultCounts } from "../platform/fault-counts.ts";
import { NodeClock } from "../platform/node-clock.ts";
import type { Log } from "../ports/log.ts";
import type { WebHandler } from "../ports/web.ts";
import { absentTracker } from "./absent-tracker.ts";
import { controlHandler } from "./control-handler.ts";
import { openControlSocket, tryControlSocket } from "./control-socket.ts";
import type { HubConfig } from "./hub-config.ts";
import type { HubSite } from "./hub-site.ts";
import type { HubTracker } from "./hub-tracker.ts";
import { isDiskFull } from "./is-disk-full.ts";
import { openNodeDiscovery } from "./node-discovery.ts";
import { openNodeEngine } from "./node-engine.ts";
import { type Ends, openGround } from "./node-ground.ts";
import { servicesOf } from "./node-services.ts";
import { openAccounts } from "./hub-state.ts";
import { isSupervised } from "./supervision.ts";
import { type LoadSettings, reloadSettings } from "./reload-settings.ts";
import type { SitePort } from "./site-port.ts";
import { openTransfers } from "./transfers-part.ts";

/**
 * The longest orderly stop (STO-13); whatever still hangs then is left to the kill-safe formats.
 */
const STOP_MS_MAX = 8_000;

export interface NodeAsked extends Pick<HubConfig, "config" | "origins"> {
  readonly preset: Preset;
  /** The configuration file, which need not exist; `undefined` when there can be none. */
  readonly configFile: string | undefined;
  /** Reads the settings again, when the file was changed. */
  readonly reload?: LoadSettings | undefined;
  /** The path of the control socket. */
  readonly socket: string;
}

/** A running node. A hub is one with a site. */
export interface RunningNode {
  readonly dataDir: string;
  /** `undefined` without a web site. */
  readonly site: HubSite | undefined;
  status(): NodeStatus;
  /** How the DHT is doing. */
  dht(): DhtReach;
  /** Faults of others since the start, by kind. */
  faults(): FaultCounts["totals"];
  /** Ends within 10 s; safe to repeat. */
  stop(): Promise<void>;
}

/**
 * Composes a node: opens the state, binds the ports, and begins each part that the settings turn on, in an order in which
 * each finds what it needs. `docs/adr/0014-one-composition.md`.
 *
 * @param asked.origins - Who gave which key of the settings: for the others, the values that the page stored hold.
 * @throws {CommandError} (rejects) When the data folder, a port or the socket is unavailable; nothing is left running.
 */
export async function runNode(asked: NodeAsked, everyLine: Log): Promise<RunningNode> {
  const clock = new NodeClock();
  const log = new BoundedLog(everyLine, clock);
  const ends: Ends = [async () => log.close()];
  const stop = (): Promise<void> => endParts(ends, { log, msMax: STOP_MS_MAX });
  try {
    const node = await compose(asked, { clock, log }, ends);
    let stopping: Promise<void> | undefined;
    return { ...node, stop: () => (stopping ??= stop()) };
  } catch (error) {
    await stop();
    throw closedFileTrouble(error, resolve(asked.config.dataDir), process.getuid?.());
  }
}

/** @param ends - Collects a stop function for each part that was started. */
async function compose(
  asked: NodeAsked,
  world: { readonly clock: NodeClock; readonly log: Log },
  ends: Ends,
): Promise<Omit<RunningNode, "stop">> {
  const ground = await openGround(asked, world, ends);
  const { config, clock, random, log, faults, dataDir, state, turns, version, startedAt } = ground;
  const { services } = config;
  const socket = await (asked.preset === "node"
    ? openControlSocket(asked.socket)
    : tryControlSocket(asked.socket, log));
  ends.push(async () => socket?.close());
  // A part that is off has none of its code in memory.
  let port: SitePort | undefined;
  if (services.site || services.tracker || services.transmissionRpc) {
    const { openSitePort } = await import("./site-port.ts");
    port = await openSitePort(ground, ends);
  }
  const engine = await openNodeEngine(ground, ends);
  const { session, sleeping } = engine;
  const discovery = await openNodeDiscovery(ground, engine, ends);
  const { dht } = discovery;
  let tracker: HubTracker | undefined;
  if (port && services.tracker) {
    const { openHubTracker } = await import("./hub-tracker.ts");
    tracker = await openHubTracker(config, {
      ...ground,
      ...state,
      webPort: port.server.port,
      peerPort: session.port,
      outer: () => discovery.router.outer(),
      sleeping,
      dht,
    });
    ends.push(() => tracker?.close() ?? Promise.resolve());
  }
  let site: HubSite | undefined;
  const status = (): NodeStatus => ({
    version,
    pid: process.pid,
    supervised: isSupervised(process.env),
    startedAt,
    preset: asked.preset,
    dataFolder: dataDir,
    configFile: asked.configFile ?? null,
    socket: socket?.path ?? null,
    peerPort: session.port,
    webPort: port?.server.port ?? null,
    udpPort: tracker?.udpPort ?? null,
    services: servicesOf(ground, {
      engine,
      discovery,
      tracker,
      site: () => site,
      watched: () => transfers?.watched() ?? [],
    }),
  });
  const transfers = services.transfers
    ? await openTransfers(ground, { engine, discovery }, ends)
    : undefined;
  const accounts = port && openAccounts(state, { ...world, siteUrl: port.siteUrl, random });
  ends.push(async () => accounts?.close());
  let transmission: TransmissionRoute | undefined;
  if (port && accounts && transfers && services.transmissionRpc) {
    // A node without it has none of its code in memory.
    const { openTransmission } = await import("./transmission-part.ts");
    const needs = { port, engine, discovery, transfers, accounts };
    transmission = await openTransmission(ground, needs, ends);
  }
  const control: ControlParts = {
    node: status,
    reload: () => reloadSettings(ground.settings, asked.reload),
    transfers,
    transmission: transmission?.rpc,
  };
  if (port && accounts && services.site) {
    const { openHubSite } = await import("./hub-site.ts");
    site = await openHubSite(
      ground,
      {
        port,
        engine,
        discovery,
        tracker: tracker ?? absentTracker({ sleeping, dht }),
        control,
        accounts,
        transmission,
      },
      ends,
    );
  } else if (port) port.server.serve(withoutSite(tracker, transmission));
  socket?.serve(controlHandler({ ...control, clock, turns, random, log, isDiskFull }));
  return { dataDir, site, status, dht: () => dht.status(), faults: () => faults.totals };
}

/** The web port of a node without a site. */
function withoutSite(
  tracker: HubTracker | undefined,
  transmission: TransmissionRoute | undefined,
): WebHandler {
  return async (request, context) => {
    if (transmission && isTransmissionPath(new URL(request.url).pathname)) {
      return transmission.handle(request, context);
    }
    return (
      (await tracker?.handle(request, context)) ??
      new Response("There is no site here.\n", { status: 404 })
    );
  };
}
