import type { OutputOptions } from "./output.ts";

/** The flag of every command about a node. */
export const SYSTEM_OPTION = [
  "--system",
  "the node of the system (/etc/everseed, /var/lib/everseed), not yours",
] as const;

export interface SystemFlags extends OutputOptions {
  readonly system?: boolean;
}
