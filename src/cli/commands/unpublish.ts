import type { Command } from "commander";
import { addCommand, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import type { OutputOptions } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { readSecret } from "../read-secret.ts";

interface UnpublishFlags extends OutputOptions {
  readonly tokenFile: string;
  readonly undo?: boolean;
}

export function addUnpublishCommand(program: Command): void {
  addCommand(program, {
    usage: "unpublish",
    summary: summaryOf("unpublish"),
    examples: ["everseed unpublish http://127.0.0.1:8420/t/k3f9c2aa/talks --token-file token"],
  })
    .argument("<url>", "address of its page")
    .requiredOption("--token-file <file>", "file with an API token of yours on that hub")
    .option("--undo", "restore what was taken back")
    .action((url: string, flags: UnpublishFlags) => unpublish(url, flags));
}

function unpublish(url: string, flags: UnpublishFlags): Promise<void> {
  return runCommand(flags, async ({ output, signal }) => {
    const command = await import("../../commands/unpublish.ts");
    const { hubPorts } = await import("../../daemon/hub-ports.ts");
    const token = await readSecret({ output, signal }, flags.tokenFile);
    const options = { url, token, signal };
    if (flags.undo === true) {
      const back = await command.undoUnpublish(hubPorts(), options);
      output.record(back);
      output.line(`Back  ${escapeOutside(back.pageUrl)}`);
      return;
    }
    const removal = await command.unpublish(hubPorts(), options);
    output.record(removal);
    output.line(`Removed  ${escapeOutside(removal.name ?? url)}`);
    if (removal.undoUntil !== null) {
      output.say(
        `Until ${removal.undoUntil.slice(0, 10)} the same command with --undo brings it back.`,
      );
    }
  });
}
