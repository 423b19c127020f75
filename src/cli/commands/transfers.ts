import type { Command } from "commander";
import { addGroup, type GroupWords } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { addTransferAddCommand } from "./transfer-add.ts";
import { addTransferControlCommands } from "./transfer-control.ts";
import { addTransferListCommand, addTransferShowCommand } from "./transfer-list.ts";
import { addTransferPartCommands } from "./transfer-parts.ts";
import { addTransferSetCommands } from "./transfer-set.ts";
import { addTransferWatchCommand } from "./transfer-watch.ts";

const WORDS: GroupWords = {
  name: "transfers",
  summary: summaryOf("transfers"),
  examples: ["everseed transfers ls"],
  isHidden: true,
};

/** The torrents of the node on this machine: `everseed ls` is `everseed transfers ls`. */
export function addTransfersCommand(program: Command): void {
  addGroup(program, WORDS, (transfers) => {
    addTransferAddCommand(transfers);
    addTransferListCommand(transfers);
    addTransferWatchCommand(transfers);
    addTransferControlCommands(transfers);
    addTransferSetCommands(transfers);
    addTransferPartCommands(transfers);
    addTransferShowCommand(transfers);
  });
}
