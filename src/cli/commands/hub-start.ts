import { type Command, Option } from "commander";
import type { RunningHub } from "../../daemon/run-hub.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import type { Output, OutputOptions } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { portOption } from "../parse-options.ts";
import { addReachOptions, reachOverrides } from "../reach-options.ts";
import { wordsLog } from "../words-log.ts";

interface StartFlags extends OutputOptions {
  readonly data?: string;
  readonly host?: string;
  readonly port?: number;
  readonly config?: string;
}

export function addHubStartCommand(hub: Command): void {
  const command = addCommand(hub, {
    usage: "start",
    summary: "Run a hub until Ctrl-C: web site, tracker and everseed.",
    examples: ["everseed hub start", "everseed hub start --data data --host 0.0.0.0 --port 80"],
  })
    .option("--data <dir>", "folder for everything")
    .option("--host <address>", "address of the web site (default: 127.0.0.1)")
    .addOption(new Option("--port <number>", "its port (default: 8420)").argParser(portOption))
    .option("--config <file>", "settings (default: everseed.yaml in the data folder)");
  addReachOptions(command).action((flags: StartFlags) =>
    runCommand(flags, (run) => start(run, flags)),
  );
}

async function start({ output, signal }: CommandRun, flags: StartFlags): Promise<void> {
  const { loadHubConfig, offerConfigFile } = await import("../../daemon/hub-config.ts");
  const sources = {
    file: flags.config,
    env: process.env,
    signal,
    overrides: {
      dataDir: flags.data,
      host: flags.host,
      port: flags.port,
      ...reachOverrides({ ...flags }),
    },
  };
  const { config, origins, file } = await loadHubConfig(sources);
  const { lookAtDataFolder } = await import("../../commands/hub-settings.ts");
  const { filePorts } = await import("../../daemon/file-ports.ts");
  const ports = filePorts();
  const folder = await lookAtDataFolder(ports.files, config.dataDir);
  if (folder.openToOthers) {
    const path = escapeOutside(config.dataDir);
    output.warn(`others on this machine can look into ${path}: chmod 700 stops that`);
  }
  if (flags.data === undefined && folder.isNew) {
    output.say(`No --data was given: a new hub begins in ${escapeOutside(config.dataDir)}.`);
  }
  const { runHub } = await import("../../daemon/run-hub.ts");
  const { openHubLog } = await import("../../daemon/hub-log.ts");
  const { untilAborted } = await import("../../commands/waiting.ts");
  const isWatched = process.stderr.isTTY && !output.json;
  const log = isWatched
    ? wordsLog((line) => output.log(escapeOutside(line)), config.log.level)
    : openHubLog(config);
  const hub = await runHub(config, log, {
    origins,
    configFile: file,
    reload: () => loadHubConfig(sources),
  });
  try {
    await offerConfigFile(file);
    tellReady(output, hub, { file, isNew: folder.isNew, seconds: process.uptime() });
    await untilAborted(ports.clock, signal, () => tellStats(output, hub));
  } finally {
    await hub.stop();
  }
}

function tellReady(
  output: Output,
  hub: RunningHub,
  more: { readonly file: string; readonly isNew: boolean; readonly seconds: number },
): void {
  const { url, setupLink, dataDir, webPort, peerPort, udpPort } = hub;
  output.record({
    event: "ready",
    port: webPort,
    peerPort,
    udpPort,
    url,
    setupLink: setupLink ?? null,
    data: dataDir,
    isNew: more.isNew,
  });
  output.line(`Web site  ${url}`);
  output.line(`Data      ${escapeOutside(dataDir)}${more.isNew ? " (new)" : ""}`);
  output.line(`Settings  ${escapeOutside(more.file)}`);
  const tracker = udpPort === 0 ? "no tracker" : `tracker also on UDP port ${udpPort}`;
  output.line(`Peers     port ${peerPort}; ${tracker}`);
  if (setupLink !== undefined) {
    output.line(`Setup     Open ${output.style("bold", setupLink)}`);
    output.line(
      "          It works once, within 30 minutes; everseed hub setup-link makes a new one.",
    );
  }
  output.line(`ready after ${more.seconds.toFixed(1)} s; Ctrl-C stops`);
}

function tellStats(output: Output, hub: RunningHub): void {
  const { uploaded, downloaded, peers } = hub.stats();
  output.record({ event: "stats", uploaded, downloaded, peers });
}
