import type { Command } from "commander";
import { exampleText } from "../command-frame.ts";
import { addDaemonInstallCommands } from "./daemon-install.ts";
import { addDaemonLogsCommand } from "./daemon-logs.ts";
import { addDaemonStartCommand } from "./daemon-start.ts";
import { addDaemonStatusCommand } from "./daemon-status.ts";
import { addDaemonStopCommands } from "./daemon-stop.ts";

export function addDaemonCommand(program: Command): void {
  const daemon = program
    .command("daemon")
    .description("Run a node in the background: it keeps your torrents.")
    .addHelpText("before", exampleText(["everseed daemon start", "everseed daemon install"]))
    .helpCommand(false);
  addDaemonStartCommand(daemon);
  addDaemonStopCommands(daemon);
  addDaemonStatusCommand(daemon);
  addDaemonLogsCommand(daemon);
  addDaemonInstallCommands(daemon);
}
