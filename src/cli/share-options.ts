import type { Command } from "commander";
import type { TransferInput } from "../api/transfers.ts";
import { countOption, ratioOption } from "./parse-options.ts";

/** When seeding ends by itself. */
export interface ShareFlags {
  readonly ratio?: number;
  readonly seedMinutes?: number;
  readonly idleMinutes?: number;
}

export function withShareLimits(command: Command): Command {
  return command
    .option("--ratio <number>", "stop seeding at this ratio; 0 is never", ratioOption)
    .option("--seed-minutes <count>", "stop after seeding this long; 0 is never", countOption)
    .option(
      "--idle-minutes <count>",
      "stop when nobody wanted it for so long; 0 is never",
      countOption,
    );
}

export function hasShareLimits({ ratio, seedMinutes, idleMinutes }: ShareFlags): boolean {
  return (ratio ?? seedMinutes ?? idleMinutes) !== undefined;
}

export function shareLimitsOf(flags: ShareFlags): NonNullable<TransferInput["shareLimits"]> {
  const { ratio, seedMinutes, idleMinutes } = flags;
  return {
    ...(ratio !== undefined && { ratio }),
    ...(seedMinutes !== undefined && { seedingMinutes: seedMinutes }),
    ...(idleMinutes !== undefined && { idleMinutes }),
  };
}
