import { type Command, InvalidArgumentError, Option } from "commander";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import type { Output } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { wordsLog } from "../words-log.ts";

interface LogsFlags extends SystemFlags {
  readonly lines: number;
  readonly follow?: boolean;
}

const FOLLOW_MS = 500;
const LINES_MAX = 100_000;

export function addDaemonLogsCommand(daemon: Command): void {
  addCommand(daemon, {
    usage: "logs",
    summary: "Show the log of a node in the background.",
    examples: ["everseed daemon logs", "everseed daemon logs --lines 500 --follow"],
  })
    .addOption(
      new Option("--lines <number>", "how many of the last ones")
        .argParser(linesOption)
        .default(100),
    )
    .option("-f, --follow", "go on with what is added, until Ctrl-C")
    .option(...SYSTEM_OPTION)
    .action((flags: LogsFlags) => runCommand(flags, (run) => logs(run, flags)));
}

async function logs({ output, signal }: CommandRun, flags: LogsFlags): Promise<void> {
  const { loadNodeConfig } = await import("../../daemon/node-config.ts");
  const { lastLines, LogTail } = await import("../../daemon/node-log-files.ts");
  const { logFile } = await loadNodeConfig(flags.system ?? false);
  const tail = new LogTail(logFile);
  const lines = lastLines(logFile, flags.lines);
  if (lines.length === 0) {
    const scope = flags.system ? "" : "--user ";
    output.say(
      `Nothing stands in ${escapeOutside(logFile)}. The log of a service is in the journal: journalctl ${scope}-u everseed`,
    );
  }
  for (const line of lines) tellLine(output, line);
  if (!flags.follow) return;
  const { sleep } = await import("../../commands/waiting.ts");
  const { filePorts } = await import("../../daemon/file-ports.ts");
  const { clock } = filePorts();
  for (;;) {
    await sleep(clock, FOLLOW_MS, signal);
    for (const line of tail.next()) tellLine(output, line);
  }
}

interface LogLine extends Record<string, unknown> {
  readonly time: string;
  readonly msg: string;
}

/** For programs the line as it is; for people in words. */
function tellLine(output: Output, text: string): void {
  const line = parse(text);
  if (!line) {
    output.line(escapeOutside(text));
    return;
  }
  output.record(line);
  const { time, msg, level: _level, pid: _pid, ...fields } = line;
  const log = wordsLog((words) => output.line(`${time} ${escapeOutside(words)}`));
  log.info(msg, fields);
}

/** @returns `undefined` for a line that a crash cut off. */
function parse(text: string): LogLine | undefined {
  try {
    const line = JSON.parse(text) as LogLine;
    return typeof line.msg === "string" ? line : undefined;
  } catch {
    return undefined;
  }
}

function linesOption(text: string): number {
  const lines = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (lines >= 1 && lines <= LINES_MAX) return lines;
  throw new InvalidArgumentError(`It takes a number from 1 to ${LINES_MAX}.`);
}
