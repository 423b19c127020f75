import type { Command } from "commander";
import type { TransferEditInput, TransferSettingsChange } from "../../api/transfers.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import { formatRate } from "../figures.ts";
import { escapeOutside } from "../outside-text.ts";
import { countOption, limitOption, ratioOption, switchOption } from "../parse-options.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { useTransfers } from "../use-transfers.ts";

const NONE_RATE = "such as 2M; 0 is no limit";

interface ShareFlags {
  readonly ratio?: number;
  readonly seedMinutes?: number;
  readonly idleMinutes?: number;
}

interface SetFlags extends SystemFlags, ShareFlags {
  /** False for `--no-label`. */
  readonly label?: string | false;
  readonly down?: number;
  readonly up?: number;
  readonly sequential?: boolean;
  readonly endsFirst?: boolean;
  readonly first?: boolean;
  readonly last?: boolean;
}

interface LimitsFlags extends SystemFlags, ShareFlags {
  readonly down?: number;
  readonly up?: number;
  readonly downloads?: number;
}

/** Commands that set what holds for one transfer, or for all. */
export function addTransferSetCommands(parent: Command): void {
  withShareLimits(
    addCommand(parent, {
      usage: "set",
      summary: "Set limits, the label, or the place in the queue of torrents.",
      examples: [
        "everseed set 9d3c --up 500K --ratio 2",
        "everseed set 9d3c --first",
        "everseed set 9d3c --sequential on",
      ],
    })
      .argument("<id...>", "ids, as short as tells them apart, or names")
      .option("--label <label>", "a word of yours")
      .option("--no-label", "no label")
      .option("--down <rate>", `receive no faster, ${NONE_RATE}`, limitOption)
      .option("--up <rate>", `send no faster, ${NONE_RATE}`, limitOption)
      .option("--sequential <on|off>", "fetch files from beginning to end", switchOption)
      .option("--ends-first <on|off>", "fetch first and last pieces of files first", switchOption)
      .option("--first", "before all others in the queue")
      .option("--last", "behind all others"),
  )
    .option(...SYSTEM_OPTION)
    .action((ids: readonly string[], flags: SetFlags) =>
      runCommand(flags, (run) => set(run, ids, flags)),
    );
  withShareLimits(
    addCommand(parent, {
      usage: "limits",
      summary: "Show what holds for all torrents, or set it.",
      examples: ["everseed limits", "everseed limits --down 5M --up 1M --downloads 3"],
    })
      .option("--down <rate>", `receive no faster in all, ${NONE_RATE}`, limitOption)
      .option("--up <rate>", `send no faster in all, ${NONE_RATE}`, limitOption)
      .option("--downloads <count>", "downloads at one time; 0 is any number", countOption),
  )
    .option(...SYSTEM_OPTION)
    .action((flags: LimitsFlags) => runCommand(flags, (run) => limits(run, flags)));
}

function withShareLimits(command: Command): Command {
  return command
    .option("--ratio <number>", "stop seeding at this ratio; 0 is never", ratioOption)
    .option("--seed-minutes <count>", "stop after seeding this long; 0 is never", countOption)
    .option(
      "--idle-minutes <count>",
      "stop when nobody wanted it for so long; 0 is never",
      countOption,
    );
}

async function set(run: CommandRun, ids: readonly string[], flags: SetFlags): Promise<void> {
  const { output } = run;
  const client = await useTransfers(run, flags);
  const { label, down, up, sequential, endsFirst, first, last } = flags;
  for (const id of ids) {
    const before = hasShareLimits(flags) ? (await client.find(id)).shareLimits : null;
    const edit: TransferEditInput = {
      ...(label !== undefined && { label: label === false ? null : label }),
      ...(down !== undefined && { downLimit: down }),
      ...(up !== undefined && { upLimit: up }),
      ...(hasShareLimits(flags) && { shareLimits: { ...before, ...shareLimitsOf(flags) } }),
      ...(sequential !== undefined && { sequential }),
      ...(endsFirst !== undefined && { firstAndLast: endsFirst }),
      ...(first && { position: "first" as const }),
      ...(last && { position: "last" as const }),
    };
    const transfer = await client.edit(id, edit);
    output.record(transfer);
    output.line(`Set  ${transfer.id.slice(0, 8)}  ${escapeOutside(transfer.name)}`);
  }
}

async function limits(run: CommandRun, flags: LimitsFlags): Promise<void> {
  const { output } = run;
  const client = await useTransfers(run, flags);
  const { down, up, downloads } = flags;
  let settings = await client.settings();
  const change: TransferSettingsChange = {
    ...(downloads !== undefined && { downloadsMax: downloads }),
    ...((down ?? up) !== undefined && {
      rates: { down: down ?? settings.rates.down, up: up ?? settings.rates.up },
    }),
    ...(hasShareLimits(flags) && {
      shareLimits: { ...settings.shareLimits, ...shareLimitsOf(flags) },
    }),
  };
  if (Object.keys(change).length > 0) settings = await client.setSettings(change);
  output.record(settings);
  const rate = (bytes: number): string => (bytes === 0 ? "no limit" : formatRate(bytes));
  const { downloadsMax, shareLimits } = settings;
  output.line(`Down       ${rate(settings.rates.down)}`);
  output.line(`Up         ${rate(settings.rates.up)}`);
  output.line(`Downloads  ${downloadsMax === 0 ? "any number" : `${downloadsMax} at one time`}`);
  output.line(`Ratio      ${shareLimits.ratio ? String(shareLimits.ratio) : "no limit"}`);
  output.line(`Seeding    ${minutes(shareLimits.seedingMinutes)}`);
  output.line(`Idle       ${minutes(shareLimits.idleMinutes)}`);
}

function minutes(count: number | undefined): string {
  return count ? `${count} min` : "no limit";
}

function hasShareLimits({ ratio, seedMinutes, idleMinutes }: ShareFlags): boolean {
  return (ratio ?? seedMinutes ?? idleMinutes) !== undefined;
}

function shareLimitsOf({ ratio, seedMinutes, idleMinutes }: ShareFlags) {
  return {
    ...(ratio !== undefined && { ratio }),
    ...(seedMinutes !== undefined && { seedingMinutes: seedMinutes }),
    ...(idleMinutes !== undefined && { idleMinutes }),
  };
}
