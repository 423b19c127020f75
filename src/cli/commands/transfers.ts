import type { Command } from "commander";
import { addGroup, type GroupWords } from "../command-frame.ts";
import { addTransferAddCommand } from "./transfer-add.ts";
import { addTransferControlCommands } from "./transfer-control.ts";
import { addTransferListCommand, addTransferShowCommand } from "./transfer-list.ts";
import { addTransferPartCommands } from "./transfer-parts.ts";
import { addTransferSetCommands } from "./transfer-set.ts";

const WORDS: GroupWords = {
  name: "transfers",
  summary: "The torrents that the node on this machine keeps.",
  examples: ["everseed transfers ls"],
  isHidden: true,
};

/** The torrents of the node on this machine: `everseed ls` is `everseed transfers ls`. */
export function addTransferCommands(program: Command, asked?: readonly string[]): void {
  addAll(program);
  addGroup(program, WORDS, asked, (transfers) => {
    addAll(transfers);
    addTransferShowCommand(transfers);
  });
}

function addAll(parent: Command): void {
  addTransferAddCommand(parent);
  addTransferListCommand(parent);
  addTransferControlCommands(parent);
  addTransferSetCommands(parent);
  addTransferPartCommands(parent);
}
