import type { Command } from "commander";
import { addCommand, runCommand } from "../command-frame.ts";
import type { OutputOptions } from "../output.ts";

export function addVersionCommand(program: Command): void {
  addCommand(program, {
    usage: "version",
    summary: "Show the version of everseed.",
    examples: ["everseed version --json"],
  }).action((options: OutputOptions) =>
    runCommand(options, async ({ output }) => {
      const { everseedVersion } = await import("../../platform/version.ts");
      const version = everseedVersion();
      const { node } = process.versions;
      output.record({ version, node, platform: process.platform, arch: process.arch });
      output.line(`everseed ${version} (node ${node}, ${process.platform} ${process.arch})`);
    }),
  );
}
