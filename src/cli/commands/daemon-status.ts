import type { Command } from "commander";
import type { NodeStatus } from "../../api/node.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import type { Output } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";

const NAME_WIDTH = 12;

export function addDaemonStatusCommand(daemon: Command): void {
  addCommand(daemon, {
    usage: "status",
    summary: "Show what the node does; exit code 3 when none is running.",
    examples: ["everseed daemon status", "everseed daemon status --json"],
  })
    .option(...SYSTEM_OPTION)
    .action((flags: SystemFlags) => runCommand(flags, (run) => status(run, flags)));
}

async function status({ output, signal }: CommandRun, flags: SystemFlags): Promise<void> {
  const { nodePlaces } = await import("../../daemon/node-config.ts");
  const { controlClient } = await import("../../daemon/background-node.ts");
  const { controlSocketIn } = await import("../../config/places.ts");
  const { NODE_PATH } = await import("../../api/paths.ts");
  const { nodeStatusSchema } = await import("../../api/node.ts");
  const socket = controlSocketIn(nodePlaces(flags.system ?? false).runtimeDir);
  const node = await controlClient(socket, signal).ask(NODE_PATH, nodeStatusSchema);
  output.record(node);
  tell(output, node);
}

function tell(output: Output, node: NodeStatus): void {
  const line = (name: string, words: string): void =>
    output.line(`${name.padEnd(NAME_WIDTH)}${escapeOutside(words)}`);
  line("Node", `everseed ${node.version}, process ${node.pid}, since ${node.startedAt}`);
  line("State", node.dataFolder);
  if (node.configFile !== null) line("Settings", node.configFile);
  if (node.socket !== null) line("Socket", node.socket);
  for (const { name, words, remedy } of node.services) {
    line(name === "dht" ? "DHT" : `${name.charAt(0).toUpperCase()}${name.slice(1)}`, words);
    if (remedy !== null) line("", remedy);
  }
}
