import { Option, type Command } from "commander";
import { formatBytes } from "../../base/format-bytes.ts";
import type { GetEvent } from "../../commands/get-options.ts";
import type { EncryptionMode } from "../../base/encryption-mode.ts";
import type { TransportMode } from "../../base/transport-mode.ts";
import { addCommand, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { formatCount, formatLeft, formatRate, formatSeconds } from "../figures.ts";
import type { Output, OutputOptions } from "../output.ts";
import { isOn, lsdOption, type OnOff, pexOption } from "../discovery-options.ts";
import { dhtChoice, dhtOption } from "../dht-option.ts";
import { encryptionOption } from "../encryption-option.ts";
import { escapeOutside } from "../outside-text.ts";
import {
  collect,
  type ListenAddress,
  listenOption,
  type NamedPeer,
  peerOption,
  rateOption,
  seedOption,
  trackerOption,
  trackersOfVariable,
  webSeedOption,
} from "../parse-options.ts";
import {
  addNetworkOptions,
  networkChoice,
  type NetworkFlags,
  networkLog,
} from "../network-options.ts";
import { tellDht } from "../dht-words.ts";
import { connectedWords, SLOWNESS_WORDS } from "../stream-words.ts";
import { transportOption } from "../transport-option.ts";
import { mapPortsOption, mapsPorts, tellRouter } from "../router-option.ts";
import { wordsLog } from "../words-log.ts";

interface GetFlags extends OutputOptions, NetworkFlags {
  readonly out: string;
  readonly select?: readonly string[];
  readonly finalNames?: boolean;
  readonly adopt?: boolean;
  readonly rename?: boolean;
  readonly hidden?: boolean;
  readonly seed?: number | "forever";
  readonly listen?: ListenAddress;
  readonly encryption?: EncryptionMode;
  readonly transport?: TransportMode;
  readonly peer?: readonly NamedPeer[];
  readonly tracker?: readonly string[];
  readonly webSeed?: readonly string[];
  readonly dht?: "on" | "off";
  readonly dhtBootstrap?: readonly NamedPeer[];
  readonly pex?: OnOff;
  readonly lsd?: OnOff;
  readonly mapPorts?: OnOff;
  readonly down?: number;
  readonly up?: number;
}

export function addGetCommand(program: Command): void {
  const command = addCommand(program, {
    usage: "get",
    summary: summaryOf("get"),
    examples: [
      "everseed get talks.torrent -o ~/Downloads",
      "everseed get 'magnet:?xt=urn:btih:...' --select '*.pdf'",
      "everseed get https://hub.example/t/k3f9/talks --seed 1.5",
    ],
  })
    .argument(
      "<torrent>",
      "a .torrent file, magnet link or infohash, or the URL of one or of its page",
    )
    .option("-o, --out <dir>", "where to put it", ".")
    .option("--select <glob>", "only files that match; repeat for more", collect)
    .option("--final-names", "no .part at the end of unfinished files")
    .addOption(new Option("--adopt", "overwrite existing files that differ").conflicts("rename"))
    .option("--rename", "rename the download when other files have its names")
    .option("--hidden", "keep a dot at the start of the torrent's name")
    .addOption(
      new Option("--seed <ratio>", "seed afterwards: up to a ratio, or forever").argParser(
        seedOption,
      ),
    )
    .addOption(new Option("--listen <host:port>", "where peers connect to").argParser(listenOption))
    .addOption(encryptionOption())
    .addOption(transportOption())
    .option("--peer <host:port>", "a peer to ask first; repeat for more", peerOption)
    .option("--tracker <url>", "one more tracker to ask; repeat for more", trackerOption)
    .option("--web-seed <url>", "one more URL of its files; repeat for more", webSeedOption)
    .addOption(dhtOption())
    .option("--dht-bootstrap <host:port>", "a DHT node to begin with; repeat for more", peerOption)
    .addOption(pexOption())
    .addOption(lsdOption())
    .addOption(mapPortsOption("on with --seed"))
    .addOption(new Option("--down <rate>", "limit for receiving, such as 2M").argParser(rateOption))
    .addOption(new Option("--up <rate>", "limit for sending, such as 500K").argParser(rateOption));
  addNetworkOptions(command).action((source: string, flags: GetFlags) => get(source, flags));
}

/** Also a half of `vtorrent`. */
export function get(source: string, flags: GetFlags): Promise<void> {
  return runCommand(flags, async ({ output, signal }) => {
    const { getTorrent } = await import("../../commands/get-torrent.ts");
    const { linkWithoutVersion } = await import("../../commands/publication-link.ts");
    const { filePorts } = await import("../../daemon/file-ports.ts");
    const { sessionPorts } = await import("../../daemon/session-ports.ts");
    const { openChosenNetwork } = await import("../../daemon/open-network.ts");
    const log = wordsLog((line) => output.detail(escapeOutside(line)));
    using network = await openChosenNetwork(networkChoice(flags, process.env), networkLog(output));
    await getTorrent(
      { ...filePorts(network), ...sessionPorts(log, { network }) },
      {
        source,
        folder: flags.out,
        select: flags.select ?? [],
        finalNames: flags.finalNames ?? false,
        existing: flags.adopt ? "adopted" : flags.rename ? "set-aside" : "proven",
        hidden: flags.hidden ?? false,
        seed: flags.seed,
        listen: flags.listen,
        encryption: flags.encryption ?? "prefer",
        transport: flags.transport ?? "both",
        peers: flags.peer ?? [],
        trackers: flags.tracker ?? trackersOfVariable(process.env),
        webSeeds: flags.webSeed,
        downBytesPerSecond: flags.down,
        upBytesPerSecond: flags.up,
        dht: dhtChoice(flags, process.env, linkWithoutVersion(source) !== undefined),
        pex: flags.pex !== "off",
        lsd: isOn(flags.lsd),
        mapPorts: mapsPorts(flags, process.env, flags.seed !== undefined),
        signal,
        onEvent: (event) => tellGet(output, event, flags),
      },
    );
  });
}

/** @param flags - What `get` was told; nothing for a download that is part of another command. */
export function tellGet(output: Output, event: GetEvent, flags: Pick<GetFlags, "seed"> = {}): void {
  switch (event.kind) {
    case "ready":
      output.record({ event: "ready", port: event.port });
      if (event.port !== 0) output.detail(`Listening on port ${event.port}.`);
      if (event.waitsForPeers) {
        const who =
          event.port === 0
            ? "nobody can connect from the other side of the proxy."
            : `waiting for peers to connect to port ${event.port}.`;
        output.say(
          "There is nowhere to look for peers: it names no tracker, and the DHT is off. --dht on asks the DHT, --tracker URL or " +
            `--peer HOST:PORT names one; ${who}`,
        );
      }
      break;
    case "known": {
      const { name, files, bytes, root } = event;
      output.record({ event: "metadata", name, files, bytes, root });
      const size = `${formatCount(files, "file")}, ${formatBytes(bytes)}`;
      output.say(`${escapeOutside(name)}: ${size}  to ${escapeOutside(root)}`);
      break;
    }
    case "connected":
      output.record({ event: "connected", streams: event.streams, sources: event.sources });
      output.detail(connectedWords(event));
      break;
    case "stats":
      tellStats(output, event);
      break;
    case "done":
      tellDone(output, event, flags);
      break;
    case "alone":
      tellAlone(output, event);
      break;
    case "tracker-failure":
    case "tracker-warning": {
      const { kind, tracker, message } = event;
      output.record({ event: kind, tracker, message });
      output.detail(`${escapeOutside(tracker)} says: ${escapeOutside(message)}`);
      break;
    }
    case "dht":
      tellDht(output, event);
      break;
    case "web-seed":
      tellWebSeed(output, event);
      break;
    case "stopped":
      tellStopped(output, event);
      break;
    case "banned":
      output.detail(`Banned ${event.address}: ${escapeOutside(event.reason)}.`);
      break;
    case "router":
      tellRouter(output, event.status);
      break;
    case "trouble":
      output.warn(escapeOutside(event.message));
      break;
  }
}

const WEB_SEED_WORDS = {
  idle: "has nothing more to send",
  connected: "sends",
  resting: "is asked again later",
  off: "is left alone",
} as const;

function tellWebSeed(output: Output, event: Extract<GetEvent, { kind: "web-seed" }>): void {
  const { url, state, reason } = event;
  output.record({ event: "web-seed", url, state, reason: reason ?? null });
  const why = reason === undefined ? "" : `: ${escapeOutside(reason)}`;
  output.detail(`Web seed ${escapeOutside(url)} ${WEB_SEED_WORDS[state]}${why}.`);
}

function tellStats(output: Output, event: Extract<GetEvent, { kind: "stats" }>): void {
  const { stats, phase } = event;
  const { uploaded, downloaded, peers, webSeeds, doneBytes, wantedBytes } = stats;
  const { downloadBytesPerSecond, uploadBytesPerSecond, slowness } = stats;
  output.record({
    event: "stats",
    phase: phase.kind,
    uploaded,
    downloaded,
    peers,
    webSeeds,
    doneBytes,
    wantedBytes,
    downloadBytesPerSecond,
    uploadBytesPerSecond,
    cause: slowness ?? null,
  });
  const why = output.verbose && slowness !== undefined ? [SLOWNESS_WORDS[slowness]] : [];
  const web = webSeeds > 0 ? `, ${formatCount(webSeeds, "web seed")}` : "";
  const swarm = `${formatCount(peers, "peer")}${web}`;
  const up = `up ${formatRate(uploadBytesPerSecond)}`;
  switch (phase.kind) {
    case "finding":
      output.progress.update({ doing: "Finding details", parts: [...why, swarm] });
      break;
    case "checking":
      output.progress.update({ doing: "Checking", fraction: phase.fraction, parts: [] });
      break;
    case "downloading":
      output.progress.update({
        doing: "",
        fraction: wantedBytes > 0 ? doneBytes / wantedBytes : 1,
        parts: [
          formatRate(downloadBytesPerSecond),
          up,
          swarm,
          ...why,
          formatLeft(wantedBytes - doneBytes, downloadBytesPerSecond),
        ],
      });
      break;
    case "seeding":
      output.progress.update({ doing: "Seeding", parts: [up, formatBytes(uploaded), swarm] });
      break;
  }
}

function tellAlone(output: Output, event: Extract<GetEvent, { kind: "alone" }>): void {
  const trackers = event.trackers
    .filter(({ state }) => state !== "idle")
    .map(({ name, state, message, peersGiven }) => ({ name, state, message, peersGiven }));
  const { refused } = event;
  output.record({ event: "alone", trackers, refused });
  const reasons = trackers.map(({ name, state, message, peersGiven }) => {
    const named = peersGiven > 0 ? "nobody it named can be reached" : "it knows nobody else";
    const answer = state === "failing" ? (message ?? "no answer") : (message ?? named);
    return `\n  ${escapeOutside(name)}: ${escapeOutside(answer)}`;
  });
  const near = refused.map(
    (address) =>
      `\n  ${address} is in your own network, where no tracker from outside leads; ` +
      `if you trust it: --peer ${address.includes(":") ? `[${address}]` : address}:PORT`,
  );
  output.warn(`No peer is there yet; waiting for some.${[...reasons, ...near].join("")}`);
}

function tellStopped(output: Output, event: Extract<GetEvent, { kind: "stopped" }>): void {
  const { doneBytes, wantedBytes, suffix } = event;
  output.record({
    event: "stopped",
    doneBytes: doneBytes ?? null,
    wantedBytes,
    suffix: suffix ?? null,
  });
  const names = suffix === undefined ? "" : ` Unfinished files end in ${suffix}.`;
  const share = wantedBytes > 0 ? Math.floor(((doneBytes ?? 0) / wantedBytes) * 100) : 0;
  const where = doneBytes === undefined ? "before what is there was checked" : `at ${share} %`;
  output.say(`Stopped ${where}. The same command goes on from there.${names}`);
}

function tellDone(
  output: Output,
  event: Extract<GetEvent, { kind: "done" }>,
  flags: Pick<GetFlags, "seed">,
): void {
  const { bytes, downloaded, seconds } = event;
  output.record({ event: "done", bytes, downloaded, seconds });
  const speed = seconds > 0 ? downloaded / seconds : 0;
  const time = seconds < 10 ? `${seconds.toFixed(1)} s` : formatSeconds(seconds);
  const next =
    flags.seed === undefined
      ? "Seeding is off; use --seed to help others."
      : flags.seed === "forever"
        ? "Seeding until Ctrl-C."
        : `Seeding up to a ratio of ${flags.seed}.`;
  const done = downloaded > 0 ? `Done in ${time} (${formatRate(speed)})` : "All of it is there";
  output.line(`${done}, checked. ${next}`);
}
