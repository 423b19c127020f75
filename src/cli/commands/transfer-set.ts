import type { Command } from "commander";
import type {
  TransferEditInput,
  TransferSettingsChange,
  TransferSettingsView,
} from "../../api/transfers.ts";
import type { TransferClient } from "../../commands/transfer-client.ts";
import { addCommand, type CommandRun, runCommand } from "../command-frame.ts";
import { summaryOf } from "../command-list.ts";
import { formatRate } from "../figures.ts";
import type { Output } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";
import { countOption, limitOption, NONE_RATE, switchOption } from "../parse-options.ts";
import {
  hasShareLimits,
  type ShareFlags,
  shareLimitsOf,
  withShareLimits,
} from "../share-options.ts";
import { SYSTEM_OPTION, type SystemFlags } from "../system-option.ts";
import { UsageError } from "../usage-error.ts";
import { useTransfers } from "../use-transfers.ts";

const NO_RATES = { down: 0, up: 0 };

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
  readonly label?: string;
  readonly down?: number;
  readonly up?: number;
  readonly downloads?: number;
}

/** Commands that set what holds for one transfer, or for all. */
export function addTransferSetCommands(parent: Command): void {
  withShareLimits(
    addCommand(parent, {
      usage: "set",
      summary: summaryOf("set"),
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
      summary: summaryOf("limits"),
      examples: [
        "everseed limits",
        "everseed limits --down 5M --up 1M --downloads 3",
        "everseed limits --label films --up 500K",
      ],
    })
      .option("--label <label>", "for the torrents with this label together")
      .option("--down <rate>", `receive no faster in all, ${NONE_RATE}`, limitOption)
      .option("--up <rate>", `send no faster in all, ${NONE_RATE}`, limitOption)
      .option("--downloads <count>", "downloads at one time; 0 is any number", countOption),
  )
    .option(...SYSTEM_OPTION)
    .action((flags: LimitsFlags) => runCommand(flags, (run) => limits(run, flags)));
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
  const { down, up, downloads, label } = flags;
  if (label !== undefined && downloads !== undefined) {
    throw new UsageError("--downloads is for all torrents: leave --label out.");
  }
  const client = await useTransfers(run, flags);
  let settings = await client.settings();
  if (label !== undefined) {
    await limitsOfLabel(run, { client, settings, label, flags });
    return;
  }
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
  const { downloadsMax, shareLimits, rates, labels } = settings;
  tellRates(output, rates);
  output.line(`Downloads  ${downloadsMax === 0 ? "any number" : `${downloadsMax} at one time`}`);
  tellShareLimits(output, shareLimits);
  const names = Object.keys(labels).toSorted();
  if (names.length > 0) {
    output.line(`Labels     ${names.map((name) => escapeOutside(name)).join(", ")}`);
  }
}

/** What holds for the torrents with a label. */
async function limitsOfLabel(
  { output }: CommandRun,
  asked: {
    readonly client: TransferClient;
    readonly settings: TransferSettingsView;
    readonly label: string;
    readonly flags: LimitsFlags;
  },
): Promise<void> {
  const { client, label, flags } = asked;
  const { down, up } = flags;
  let { settings } = asked;
  if ((down ?? up) !== undefined || hasShareLimits(flags)) {
    const before = settings.labels[label];
    const rates = { down: down ?? before?.rates?.down ?? 0, up: up ?? before?.rates?.up ?? 0 };
    const shareLimits = { ...before?.shareLimits, ...shareLimitsOf(flags) };
    settings = await client.setSettings({
      labels: { ...settings.labels, [label]: { rates, shareLimits } },
    });
  }
  const { rates = NO_RATES, shareLimits = {} } = settings.labels[label] ?? {};
  output.record({ label, rates, shareLimits });
  tellRates(output, rates);
  tellShareLimits(output, shareLimits);
}

function tellRates(output: Output, { down, up }: TransferSettingsView["rates"]): void {
  const rate = (bytes: number): string => (bytes === 0 ? "no limit" : formatRate(bytes));
  output.line(`Down       ${rate(down)}`);
  output.line(`Up         ${rate(up)}`);
}

function tellShareLimits(output: Output, limits: TransferSettingsView["shareLimits"]): void {
  output.line(`Ratio      ${limits.ratio ? String(limits.ratio) : "no limit"}`);
  output.line(`Seeding    ${minutes(limits.seedingMinutes)}`);
  output.line(`Idle       ${minutes(limits.idleMinutes)}`);
}

function minutes(count: number | undefined): string {
  return count ? `${count} min` : "no limit";
}
