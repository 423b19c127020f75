import { Option, type Command } from "commander";
import { formatBytes } from "../../base/format-bytes.ts";
import type { SeedEvent } from "../../daemon/seed-torrents.ts";
import { addCommand, runCommand } from "../command-frame.ts";
import { formatCount, formatRate } from "../figures.ts";
import type { Output, OutputOptions } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { type ListenAddress, listenOption, rateOption } from "../parse-options.ts";

interface SeedFlags extends OutputOptions {
  readonly data: string;
  readonly listen?: ListenAddress;
  readonly up?: number;
}

export function addSeedCommand(program: Command): void {
  addCommand(program, {
    usage: "seed",
    summary: "Serve the files of torrents to everybody who asks, until Ctrl-C.",
    examples: ["everseed seed talks.torrent --data ~/Downloads"],
  })
    .argument("<torrent...>", ".torrent files, or URLs of torrents")
    .requiredOption("--data <dir>", "the folder the torrents' files lie in")
    .addOption(new Option("--listen <host:port>", "where peers connect to").argParser(listenOption))
    .addOption(new Option("--up <rate>", "limit for sending, such as 500K").argParser(rateOption))
    .action((sources: readonly string[], flags: SeedFlags) => seed(sources, flags));
}

function seed(sources: readonly string[], flags: SeedFlags): Promise<void> {
  return runCommand(flags, async ({ output, signal }) => {
    const { seedTorrents } = await import("../../daemon/seed-torrents.ts");
    const { wordsLog } = await import("../../daemon/words-log.ts");
    await seedTorrents({
      sources,
      folder: flags.data,
      listen: flags.listen,
      upBytesPerSecond: flags.up,
      signal,
      log: wordsLog((line) => output.detail(escapeOutside(line))),
      onEvent: (event) => tell(output, event),
    });
  });
}

function tell(output: Output, event: SeedEvent): void {
  switch (event.kind) {
    case "ready":
      output.record({ event: "ready", port: event.port });
      for (const { name, bytes } of event.torrents) {
        output.line(`Seeding ${escapeOutside(name)} (${formatBytes(bytes)})`);
      }
      output.say(`Peers reach it on port ${event.port}. Ctrl-C stops.`);
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
    case "tracker-failure": {
      const { tracker, message } = event;
      output.record({ event: "tracker-failure", tracker, message });
      const what = `${escapeOutside(tracker)} does not list us: ${escapeOutside(message)}`;
      output.warn(`${what}. It is asked again; peers who know us are served.`);
      break;
    }
    case "tracker-warning": {
      const { tracker, message } = event;
      output.record({ event: "tracker-warning", tracker, message });
      output.detail(`${escapeOutside(tracker)} says: ${escapeOutside(message)}`);
      break;
    }
    case "trouble":
      output.warn(`${escapeOutside(event.name)}: ${escapeOutside(event.message)}`);
      break;
  }
}
