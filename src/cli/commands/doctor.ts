import type { Command } from "commander";
import type { Finding } from "../../commands/health.ts";
import { summaryOf } from "../command-list.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import { EXIT } from "../exit-code.ts";
import type { Output } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { trackerOption, trackersOfVariable } from "../parse-options.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { wordsLog } from "../words-log.ts";

interface DoctorFlags extends SystemFlags {
  readonly tracker?: readonly string[];
}

const MARKS = { ok: "ok", warn: "warn", fail: "FAIL" } as const;
const COLOURS = { ok: "green", warn: "yellow", fail: "red" } as const;
const MARK_WIDTH = 6;

export function addDoctorCommand(program: Command): void {
  addCommand(program, {
    usage: "doctor",
    summary: summaryOf("doctor"),
    examples: ["everseed doctor", "everseed doctor --tracker https://tracker.example/announce"],
  })
    .option(
      "--tracker <url>",
      "a tracker to ask, in addition to those of your torrents; repeat for more",
      trackerOption,
    )
    .option(...SYSTEM_OPTION)
    .action((flags: DoctorFlags) => runCommand(flags, (run) => examine(run, flags)));
}

/** @returns 1 when something does not work. */
async function examine({ output, signal }: CommandRun, flags: DoctorFlags): Promise<number> {
  const { examineNode } = await import("../../daemon/examine-node.ts");
  const findings: Finding[] = [];
  const trackers = flags.tracker ?? trackersOfVariable(process.env);
  const log = wordsLog((line) => output.detail(escapeOutside(line)));
  for await (const finding of examineNode({
    isSystem: flags.system ?? false,
    trackers,
    signal,
    log,
  })) {
    findings.push(finding);
    tell(output, finding);
  }
  const isWell = findings.every(({ state }) => state !== "fail");
  output.record({
    ok: isWell,
    findings: findings.map(({ remedy, ...finding }) => ({ ...finding, remedy: remedy ?? null })),
  });
  return isWell ? EXIT.done : EXIT.failed;
}

function tell(output: Output, { state, words, remedy }: Finding): void {
  const mark = output.style(COLOURS[state], MARKS[state].padEnd(MARK_WIDTH));
  const fix = remedy === undefined ? "" : ` Fix: ${escapeOutside(remedy)}`;
  output.line(`${mark}${escapeOutside(words)}${fix}`);
}
