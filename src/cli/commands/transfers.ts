import type { Command } from "commander";
import { exampleText } from "../command-frame.ts";
import { addTransferAddCommand } from "./transfer-add.ts";
import { addTransferControlCommands } from "./transfer-control.ts";
import { addTransferListCommand, addTransferShowCommand } from "./transfer-list.ts";
import { addTransferPartCommands } from "./transfer-parts.ts";
import { addTransferSetCommands } from "./transfer-set.ts";

/** The torrents of the node on this machine: `everseed ls` is `everseed transfers ls`. */
export function addTransferCommands(program: Command): void {
  addAll(program);
  const transfers = program
    .command("transfers", { hidden: true })
    .description("The torrents that the node on this machine keeps.")
    .addHelpText("before", exampleText(["everseed transfers ls"]));
  addAll(transfers);
  addTransferShowCommand(transfers);
}

function addAll(parent: Command): void {
  addTransferAddCommand(parent);
  addTransferListCommand(parent);
  addTransferControlCommands(parent);
  addTransferSetCommands(parent);
  addTransferPartCommands(parent);
}
