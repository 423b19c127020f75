import type { Command } from "commander";
import type { NodeStatus } from "../../api/node.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { start } from "./daemon-start.ts";

export function addDaemonStopCommands(daemon: Command): void {
  addCommand(daemon, {
    usage: "stop",
    summary: "Stop the node, and wait until it has ended.",
    examples: ["everseed daemon stop"],
  })
    .option(...SYSTEM_OPTION)
    .action((flags: SystemFlags) => runCommand(flags, (run) => stop(run, flags)));
  addCommand(daemon, {
    usage: "restart",
    summary: "Stop the node and start it again, with the settings as they are now.",
    examples: ["everseed daemon restart"],
  })
    .option(...SYSTEM_OPTION)
    .action((flags: SystemFlags) => runCommand(flags, (run) => restart(run, flags)));
}

async function stop(run: CommandRun, flags: SystemFlags): Promise<void> {
  const pid = await end(run, flags, await find(run, flags));
  run.output.record({ event: "stopped", pid: pid ?? null });
  run.output.line(pid === undefined ? "No node was running." : `Process ${pid} has ended.`);
}

async function restart(run: CommandRun, flags: SystemFlags): Promise<void> {
  const { loadNodeConfig } = await import("../../daemon/node-config.ts");
  // Wrong settings are told before the node that runs is ended.
  await loadNodeConfig(flags.system ?? false);
  const running = await find(run, flags);
  if (running?.supervised) {
    const { CommandError } = await import("../../commands/command-error.ts");
    const scope = flags.system ? "" : "--user ";
    throw new CommandError("not-allowed", "A service manager runs this node, and restarts it.", {
      hint: `systemctl ${scope}restart everseed`,
    });
  }
  await end(run, flags, running);
  await start(run, flags);
}

async function find(
  { signal }: CommandRun,
  { system = false }: SystemFlags,
): Promise<NodeStatus | undefined> {
  const { nodePlaces } = await import("../../daemon/node-config.ts");
  const { controlClient } = await import("../../daemon/background-node.ts");
  const { controlSocketIn } = await import("../../config/places.ts");
  return controlClient(controlSocketIn(nodePlaces(system).runtimeDir), signal).find();
}

/** Asks the node which state it uses; one that does not answer is found by its settings. */
async function end(
  { signal }: CommandRun,
  { system = false }: SystemFlags,
  running: NodeStatus | undefined,
): Promise<number | undefined> {
  const { loadNodeConfig, lockOf } = await import("../../daemon/node-config.ts");
  const { stopNode } = await import("../../daemon/background-node.ts");
  const lock = running ? lockOf(running.dataFolder) : (await loadNodeConfig(system)).lock;
  return stopNode(lock, signal);
}
