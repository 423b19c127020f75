import type { Command } from "commander";
import { addGroup, type GroupWords } from "../command-frame.ts";
import { addDaemonInstallCommands } from "./daemon-install.ts";
import { addDaemonLogsCommand } from "./daemon-logs.ts";
import { addDaemonStartCommand } from "./daemon-start.ts";
import { addDaemonStatusCommand } from "./daemon-status.ts";
import { addDaemonStopCommands } from "./daemon-stop.ts";

const WORDS: GroupWords = {
  name: "daemon",
  summary: "Run a node in the background: it keeps your torrents.",
  examples: ["everseed daemon start", "everseed daemon install"],
};

export function addDaemonCommand(program: Command, asked?: readonly string[]): void {
  addGroup(program, WORDS, asked, (daemon) => {
    addDaemonStartCommand(daemon);
    addDaemonStopCommands(daemon);
    addDaemonStatusCommand(daemon);
    addDaemonLogsCommand(daemon);
    addDaemonInstallCommands(daemon);
  });
}
