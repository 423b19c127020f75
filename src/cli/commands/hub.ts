import type { Command } from "commander";
import { addGroup, type GroupWords } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { addHubInitCommand } from "./hub-init.ts";
import { addHubRecoverCommands } from "./hub-recover.ts";
import { addHubStartCommand } from "./hub-start.ts";
import { addHubStatusCommand } from "./hub-status.ts";

const WORDS: GroupWords = {
  name: "hub",
  summary: summaryOf("hub"),
  examples: ["everseed hub start --data data"],
};

export function addHubCommand(program: Command): void {
  addGroup(program, WORDS, (hub) => {
    addHubStartCommand(hub);
    addHubStatusCommand(hub);
    addHubInitCommand(hub);
    addHubRecoverCommands(hub);
  });
}
