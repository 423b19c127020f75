import { Option, type Command } from "commander";
import { formatBytes } from "../../base/format-bytes.ts";
import type { SeedEvent } from "../../commands/seed-torrents.ts";
import type { EncryptionMode } from "../../base/encryption-mode.ts";
import type { TransportMode } from "../../base/transport-mode.ts";
import { addCommand, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { formatCount, formatRate } from "../figures.ts";
import { warnLeftOut } from "../left-out.ts";
import type { Output, OutputOptions } from "../output.ts";
import { isOn, lsdOption, type OnOff, pexOption } from "../discovery-options.ts";
import { dhtChoice, dhtOption } from "../dht-option.ts";
import { encryptionOption } from "../encryption-option.ts";
import { escapeOutside } from "../outside-text.ts";
import {
  addNetworkOptions,
  networkChoice,
  type NetworkFlags,
  networkLog,
} from "../network-options.ts";
import { tellDht } from "../dht-words.ts";
import { connectedWords } from "../stream-words.ts";
import { WorkProgress } from "../work-progress.ts";
import {
  type ListenAddress,
  listenOption,
  type NamedPeer,
  peerOption,
  rateOption,
  trackerOption,
  trackersOfVariable,
  webSeedOption,
} from "../parse-options.ts";
import { transportOption } from "../transport-option.ts";
import {
  addPublicationOptions,
  type PublicationFlags,
  publicationOf,
  tellPublication,
} from "../publication-key.ts";
import { mapPortsOption, mapsPorts, tellRouter } from "../router-option.ts";
import { wordsLog } from "../words-log.ts";

interface SeedFlags extends OutputOptions, NetworkFlags, PublicationFlags {
  readonly data: string;
  readonly tracker?: readonly string[];
  readonly webSeed?: readonly string[];
  readonly dht?: "on" | "off";
  readonly dhtBootstrap?: readonly NamedPeer[];
  readonly pex?: OnOff;
  readonly lsd?: OnOff;
  readonly mapPorts?: OnOff;
  readonly super?: boolean;
  readonly listen?: ListenAddress;
  readonly encryption?: EncryptionMode;
  readonly transport?: TransportMode;
  readonly up?: number;
}

export function addSeedCommand(program: Command): void {
  const command = addCommand(program, {
    usage: "seed",
    summary: summaryOf("seed"),
    examples: [
      "everseed seed talks/ --tracker https://tracker.example/announce",
      "everseed seed talks.torrent --data ~/Downloads",
      "everseed seed talks/ --mutable --key-file talks.key",
    ],
  })
    .argument("<source...>", "files and folders, of which torrents are made; or torrents")
    .option("--data <dir>", "the folder the files of torrents lie in", ".")
    .option("--tracker <url>", "one more tracker to announce to; repeat for more", trackerOption)
    .addOption(new Option("--listen <host:port>", "where peers connect to").argParser(listenOption))
    .addOption(encryptionOption())
    .option("--web-seed <url>", "URL of the files, for torrents that are made", webSeedOption)
    .addOption(transportOption())
    .addOption(dhtOption())
    .option("--dht-bootstrap <host:port>", "a DHT node to begin with; repeat for more", peerOption)
    .addOption(pexOption())
    .addOption(lsdOption())
    .addOption(mapPortsOption("on"))
    .option("--super", "show each peer little at a time, as the only seed (super-seeding)")
    .addOption(new Option("--up <rate>", "limit for sending, such as 500K").argParser(rateOption));
  addPublicationOptions(addNetworkOptions(command)).action(
    (sources: readonly string[], flags: SeedFlags) => seed(sources, flags),
  );
}

function seed(sources: readonly string[], flags: SeedFlags): Promise<void> {
  return runCommand(flags, async ({ output, signal }) => {
    const { seedTorrents } = await import("../../commands/seed-torrents.ts");
    const { filePorts } = await import("../../daemon/file-ports.ts");
    const { sessionPorts } = await import("../../daemon/session-ports.ts");
    const hashing = new WorkProgress(output.progress, "Hashing");
    const { openChosenNetwork } = await import("../../daemon/open-network.ts");
    const log = wordsLog((line) => output.detail(escapeOutside(line)));
    using network = await openChosenNetwork(networkChoice(flags, process.env), networkLog(output));
    const ports = { ...filePorts(network), ...sessionPorts(log, { network }) };
    const [path = ""] = sources;
    const named = { path, flags, help: "everseed seed --help" };
    const publication = await publicationOf({ output, signal }, ports, named);
    await seedTorrents(ports, {
      trackers: flags.tracker ?? trackersOfVariable(process.env),
      webSeeds: flags.webSeed ?? [],
      sources,
      folder: flags.data,
      listen: flags.listen,
      encryption: flags.encryption ?? "prefer",
      transport: flags.transport ?? "both",
      upBytesPerSecond: flags.up,
      dht: dhtChoice(flags, process.env, publication !== undefined),
      publication,
      pex: flags.pex !== "off",
      lsd: isOn(flags.lsd),
      mapPorts: mapsPorts(flags, process.env, true),
      superSeeding: flags.super ?? false,
      signal,
      onEvent: (event) => tellSeed(output, hashing, event),
    });
  });
}

/** A hub's tracker lists only what is published there: tells a person who seeds to it how to publish. */
function howToList({ tracker, message }: Extract<SeedEvent, { kind: "tracker-failure" }>): string {
  if (!NOT_LISTED.test(message)) return "";
  const hub = /^https?:/i.test(tracker) ? escapeOutside(tracker) : "HUB";
  return (
    `\n  A hub lists what is published there: everseed publish PATH --to ${hub} --token-file FILE ` +
    "uploads it; on the hub's own machine everseed publish --in-place PATH --data DIR."
  );
}

/** The words of everseed's tracker and others for a torrent that they do not list. */
const NOT_LISTED = /not (?:registered|authorized|found|listed)|unregistered|unknown torrent/i;

export function tellSeed(output: Output, hashing: WorkProgress, event: SeedEvent): void {
  switch (event.kind) {
    case "plan": {
      const { name, files, bytes, skipped } = event.plan;
      output.say(`${escapeOutside(name)}: ${formatCount(files, "file")}, ${formatBytes(bytes)}`);
      warnLeftOut(output, skipped);
      hashing.start(bytes);
      break;
    }
    case "measuring":
      output.say(
        `${escapeOutside(event.name)} comes without the hashes of its pieces. They are made of the ` +
          `content: ${formatBytes(event.bytes)}`,
      );
      hashing.start(event.bytes);
      break;
    case "measured":
      hashing.finish();
      break;
    case "hashed":
      hashing.update(event.bytes);
      break;
    case "made": {
      hashing.finish();
      const { warnings, ...made } = event.made;
      for (const warning of warnings) output.warn(escapeOutside(warning));
      output.record({ event: "made", ...made });
      output.line(`Created ${escapeOutside(made.file)}`);
      output.line(`Magnet  ${made.magnet}`);
      break;
    }
    case "known":
      hashing.finish();
      output.record({ event: "known", file: event.file, magnet: event.magnet });
      output.say(`${escapeOutside(event.file)} exists already and fits, so it is used.`);
      output.line(`Magnet  ${event.magnet}`);
      break;
    case "ready":
      output.record({ event: "ready", port: event.port });
      for (const { name, bytes } of event.torrents) {
        output.line(`Seeding ${escapeOutside(name)} (${formatBytes(bytes)})`);
      }
      output.say(`Peers reach it on port ${event.port}. Ctrl-C stops.`);
      if (event.isHidden) {
        output.say(
          "No tracker and no DHT tells others where it is: --tracker URL or --dht on does. Until then it is found by " +
            "neighbours on this link, and by peers that are given this address.",
        );
      }
      break;
    case "connected":
      output.record({ event: "connected", streams: event.streams, sources: event.sources });
      output.detail(connectedWords(event));
      break;
    case "stats": {
      const { uploaded, downloaded, peers, uploadBytesPerSecond } = event.stats;
      output.record({ event: "stats", uploaded, downloaded, peers, uploadBytesPerSecond });
      output.progress.update({
        doing: "Seeding",
        parts: [
          `up ${formatRate(uploadBytesPerSecond)}`,
          formatBytes(uploaded),
          formatCount(peers, "peer"),
        ],
      });
      break;
    }
    case "dht":
      tellDht(output, event);
      break;
    case "tracker-failure": {
      const { tracker, message } = event;
      output.record({ event: "tracker-failure", tracker, message });
      const what = `${escapeOutside(tracker)} does not list us: ${escapeOutside(message)}`;
      output.warn(`${what}. It is asked again; peers who know us are served.${howToList(event)}`);
      break;
    }
    case "tracker-warning": {
      const { tracker, message } = event;
      output.record({ event: "tracker-warning", tracker, message });
      output.detail(`${escapeOutside(tracker)} says: ${escapeOutside(message)}`);
      break;
    }
    case "version-stored":
    case "version-not-stored":
    case "version-superseded":
      tellPublication(output, event);
      break;
    case "router":
      tellRouter(output, event.status);
      break;
    case "trouble":
      output.warn(`${escapeOutside(event.name)}: ${escapeOutside(event.message)}`);
      break;
  }
}
