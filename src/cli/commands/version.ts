import type { Command } from "commander";
import { VERSION } from "../../base/version.ts";
import { addCommand, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import type { OutputOptions } from "../output.ts";

export function addVersionCommand(program: Command): void {
  addCommand(program, {
    usage: "version",
    summary: summaryOf("version"),
    examples: ["everseed version --json"],
  }).action((options: OutputOptions) =>
    runCommand(options, async ({ output }) => {
      const { node } = process.versions;
      output.record({ version: VERSION, node, platform: process.platform, arch: process.arch });
      output.line(`everseed ${VERSION} (node ${node}, ${process.platform} ${process.arch})`);
    }),
  );
}
