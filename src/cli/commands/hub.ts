import type { Command } from "commander";
import { exampleText } from "../command-frame.ts";
import { addHubInitCommand } from "./hub-init.ts";
import { addHubRecoverCommands } from "./hub-recover.ts";
import { addHubStartCommand } from "./hub-start.ts";
import { addHubStatusCommand } from "./hub-status.ts";

export function addHubCommand(program: Command): void {
  const hub = program
    .command("hub")
    .description("Run a hub: web site, tracker and everseed.")
    .addHelpText("before", exampleText(["everseed hub start --data data"]))
    .helpCommand(false);
  addHubStartCommand(hub);
  addHubStatusCommand(hub);
  addHubInitCommand(hub);
  addHubRecoverCommands(hub);
}
