import type { Command } from "commander";
import { formatBytes } from "../../base/format-bytes.ts";
import type { HubReport } from "../../commands/hub-status.ts";
import { addCommand, runCommand } from "../command-frame.ts";
import { formatCount } from "../figures.ts";
import type { Output, OutputOptions } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";

interface StatusFlags extends OutputOptions {
  readonly data: string;
}

type Parts = HubReport["parts"];

/** In the order in which a person looks for a fault. */
const PART_NAMES: readonly (readonly [keyof Parts, name: string])[] = [
  ["port", "Peers"],
  ["router", "Router"],
  ["transports", "Transports"],
  ["encryption", "Encryption"],
  ["dht", "DHT"],
  ["pex", "PEX"],
  ["lsd", "Neighbours"],
  ["webSeeds", "Web seeds"],
  ["superSeeding", "Super-seed"],
  ["interface", "Interface"],
  ["proxy", "Proxy"],
  ["ipFilters", "IP filters"],
];

const NAME_WIDTH = 11;

export function addHubStatusCommand(hub: Command): void {
  addCommand(hub, {
    usage: "status",
    summary: "Show what a running hub does, and how peers reach it.",
    examples: ["everseed hub status --data data"],
  })
    .requiredOption("--data <dir>", "the hub's data folder")
    .action((flags: StatusFlags) => status(flags));
}

function status(flags: StatusFlags): Promise<void> {
  return runCommand(flags, async ({ output, signal }) => {
    const { withHubToken } = await import("../../daemon/recover-hub.ts");
    const { askHubStatus } = await import("../../commands/hub-status.ts");
    const { hubPorts } = await import("../../daemon/hub-ports.ts");
    const report = await withHubToken(flags.data, ({ base, token }) =>
      askHubStatus(hubPorts().calls, { base, token, signal }),
    );
    output.record({ ...report.status, reach: report.parts });
    tell(output, report);
  });
}

function tell(output: Output, { status: hub, parts }: HubReport): void {
  const { everseed, tracker } = hub;
  const line = (name: string, words: string): void =>
    output.line(`${name.padEnd(NAME_WIDTH)}${escapeOutside(words)}`);
  line("Web site", `${hub.url}, everseed ${hub.version}, since ${hub.startedAt}`);
  const free = hub.freeBytes === null ? "" : `, ${formatBytes(hub.freeBytes)} free`;
  line("Data", `${hub.dataFolder}${free}`);
  line("Published", `${formatCount(hub.torrents, "torrent")}, ${formatBytes(hub.bytes)}`);
  line(
    "Everseed",
    `${formatCount(everseed.peers, "peer")} connected, ${formatBytes(everseed.uploaded)} sent, ${formatBytes(everseed.downloaded)} received`,
  );
  line(
    "Tracker",
    `${formatCount(tracker.peers, "peer")} in ${formatCount(tracker.swarms, "swarm")}; UDP port ${tracker.udpPort}`,
  );
  for (const [key, name] of PART_NAMES) {
    const part = parts[key];
    if (!part) continue;
    line(name, part.words);
    if (part.remedy !== null) line("", part.remedy);
  }
}
