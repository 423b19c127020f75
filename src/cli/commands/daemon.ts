import type { Command } from "commander";
import { addGroup, type GroupWords } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { addDaemonInstallCommands } from "./daemon-install.ts";
import { addDaemonLogsCommand } from "./daemon-logs.ts";
import { addDaemonStartCommand } from "./daemon-start.ts";
import { addDaemonStatusCommand } from "./daemon-status.ts";
import { addDaemonStopCommands } from "./daemon-stop.ts";

const WORDS: GroupWords = {
  name: "daemon",
  summary: summaryOf("daemon"),
  examples: ["everseed daemon start", "everseed daemon install"],
};

export function addDaemonCommand(program: Command): void {
  addGroup(program, WORDS, (daemon) => {
    addDaemonStartCommand(daemon);
    addDaemonStopCommands(daemon);
    addDaemonStatusCommand(daemon);
    addDaemonLogsCommand(daemon);
    addDaemonInstallCommands(daemon);
  });
}
