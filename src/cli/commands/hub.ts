import type { Command } from "commander";
import { addGroup, type GroupWords } from "../command-frame.ts";
import { addHubInitCommand } from "./hub-init.ts";
import { addHubRecoverCommands } from "./hub-recover.ts";
import { addHubStartCommand } from "./hub-start.ts";
import { addHubStatusCommand } from "./hub-status.ts";

const WORDS: GroupWords = {
  name: "hub",
  summary: "Run a hub: web site, tracker and everseed.",
  examples: ["everseed hub start --data data"],
};

export function addHubCommand(program: Command, asked?: readonly string[]): void {
  addGroup(program, WORDS, asked, (hub) => {
    addHubStartCommand(hub);
    addHubStatusCommand(hub);
    addHubInitCommand(hub);
    addHubRecoverCommands(hub);
  });
}
