import type { Command } from "commander";
import type { ServiceChange } from "../../daemon/install-service.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import type { Output } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";

interface InstallFlags extends SystemFlags {
  readonly now?: boolean;
  readonly print?: boolean;
}

export function addDaemonInstallCommands(daemon: Command): void {
  addCommand(daemon, {
    usage: "install",
    summary: "Write a systemd service for the node: yours, or the system's.",
    examples: ["everseed daemon install --now", "sudo everseed daemon install --system"],
  })
    .option("--now", "start it too, now and with the machine")
    .option("--print", "only show the service file")
    .option(...SYSTEM_OPTION)
    .action((flags: InstallFlags) => runCommand(flags, (run) => install(run, flags)));
  addCommand(daemon, {
    usage: "uninstall",
    summary: "Stop the service and remove its file; settings and state stay.",
    examples: ["everseed daemon uninstall"],
  })
    .option(...SYSTEM_OPTION)
    .action((flags: SystemFlags) => runCommand(flags, (run) => uninstall(run, flags)));
}

async function install({ output }: CommandRun, flags: InstallFlags): Promise<void> {
  const { installService, unitText } = await import("../../daemon/install-service.ts");
  const isSystem = flags.system ?? false;
  if (flags.print) {
    const text = unitText(isSystem);
    output.record({ text });
    output.line(text.trimEnd());
    return;
  }
  const change = await installService(isSystem, flags.now ?? false);
  tell(output, change, "installed");
  output.line(`Service   ${escapeOutside(change.unit)}`);
  const scope = isSystem ? "" : "--user ";
  if (!flags.now) output.line(`Start it  systemctl ${scope}enable --now everseed`);
  if (!isSystem) output.line("It ends with your session, unless: loginctl enable-linger");
}

async function uninstall({ output }: CommandRun, flags: SystemFlags): Promise<void> {
  const { uninstallService } = await import("../../daemon/install-service.ts");
  const change = await uninstallService(flags.system ?? false);
  if (!change) {
    output.record({ event: "uninstalled", unit: null, troubles: [] });
    output.line("There was no service.");
    return;
  }
  tell(output, change, "uninstalled");
  output.line(`Removed   ${escapeOutside(change.unit)}`);
}

function tell(output: Output, { unit, troubles }: ServiceChange, event: string): void {
  output.record({ event, unit, troubles });
  for (const trouble of troubles) output.warn(escapeOutside(trouble));
}
