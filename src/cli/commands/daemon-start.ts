import { resolve } from "node:path";
import type { Command } from "commander";
import type { RunningNode } from "../../daemon/run-node.ts";
import type { Log } from "../../ports/log.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import type { Output } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { wordsLog } from "../words-log.ts";

interface StartFlags extends SystemFlags {
  readonly foreground?: boolean;
  readonly logFile?: string;
}

export function addDaemonStartCommand(daemon: Command): void {
  addCommand(daemon, {
    usage: "start",
    summary: "Start the node; the command returns when it answers.",
    examples: ["everseed daemon start", "everseed daemon start --foreground --json"],
  })
    .option("--foreground", "run until Ctrl-C, for service managers and containers")
    .option("--log-file <file>", "with --foreground: the log goes there, and is turned over")
    .option(...SYSTEM_OPTION)
    .action((flags: StartFlags) =>
      runCommand(flags, (run) => (flags.foreground ? foreground(run, flags) : start(run, flags))),
    );
}

/** Starts a node in the background. Also the second half of `restart`. */
export async function start({ output, signal }: CommandRun, flags: SystemFlags): Promise<void> {
  const { loadNodeConfig } = await import("../../daemon/node-config.ts");
  const { startInBackground } = await import("../../daemon/background-node.ts");
  const node = await loadNodeConfig(flags.system ?? false);
  const args = flags.system ? ["--system"] : [];
  tellReady(output, await startInBackground(node, args, signal));
  output.line(`Log       ${escapeOutside(node.logFile)}`);
}

async function foreground({ output, signal }: CommandRun, flags: StartFlags): Promise<void> {
  const { loadNodeConfig, offerNodeConfig } = await import("../../daemon/node-config.ts");
  const { refuseSecond } = await import("../../daemon/background-node.ts");
  const { openSupervision } = await import("../../daemon/supervision.ts");
  const { runNode } = await import("../../daemon/run-node.ts");
  const { filePorts } = await import("../../daemon/file-ports.ts");
  const { untilAborted } = await import("../../commands/waiting.ts");
  const asked = await loadNodeConfig(flags.system ?? false);
  refuseSecond(asked.lock);
  const log = await openLog(output, flags, asked);
  const { clock } = filePorts();
  const supervision = await openSupervision(process.env, { clock, log, pid: process.pid });
  const reload = (): Promise<typeof asked> => loadNodeConfig(flags.system ?? false);
  const node = await runNode({ ...asked, preset: "node", configFile: asked.file, reload }, log);
  try {
    if (!flags.system) await offerNodeConfig(asked.file);
    const { version, pid, peerPort } = node.status();
    log.info("the node is ready", { version, pid, peerPort });
    tellReady(output, readyOf(node));
    supervision?.ready(`peers on port ${peerPort}`);
    await untilAborted(clock, signal, () => undefined);
  } finally {
    supervision?.stopping();
    log.info("the node is ending");
    await node.stop();
  }
}

async function openLog(
  output: Output,
  { logFile }: StartFlags,
  {
    config,
  }: { readonly config: Parameters<typeof import("../../daemon/hub-log.ts").openHubLog>[0] },
): Promise<Log> {
  if (logFile !== undefined) {
    const { openFileLog } = await import("../../daemon/node-log-files.ts");
    return openFileLog(config, resolve(logFile));
  }
  if (process.stderr.isTTY && !output.json) {
    return wordsLog((line) => output.log(escapeOutside(line)), config.log.level);
  }
  const { openHubLog } = await import("../../daemon/hub-log.ts");
  return openHubLog(config);
}

interface Ready {
  readonly pid: number;
  readonly peerPort: number;
  readonly webPort: number | null;
  readonly socket: string | null;
  /** Works once; absent without a site, or when it is set up. */
  readonly setupLink?: string | undefined;
}

function readyOf(node: RunningNode): Ready {
  const { pid, peerPort, webPort, socket } = node.status();
  return { pid, peerPort, webPort, socket, setupLink: node.site?.setupLink };
}

function tellReady(output: Output, { pid, peerPort, webPort, socket, setupLink }: Ready): void {
  output.record({ event: "ready", pid, peerPort, webPort, socket, setupLink });
  output.line(`Node      process ${pid} answers on ${escapeOutside(socket ?? "")}`);
  output.line(`Peers     ${peerPort === 0 ? "cannot connect" : `port ${peerPort}`}`);
  if (webPort !== null) output.line(`Web       port ${webPort}`);
  if (setupLink !== undefined) output.line(`Setup     Open ${output.style("bold", setupLink)}`);
}
