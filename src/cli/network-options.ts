import { type Command, Option } from "commander";
import type { openChosenNetwork } from "../daemon/open-network.ts";
import type { Log } from "../ports/log.ts";
import type { Output } from "./output.ts";
import { escapeOutside } from "./outside-text.ts";
import { collect } from "./parse-options.ts";
import { wordsLog } from "./words-log.ts";

/** Flags of the commands that exchange pieces: how they use the network. */
export interface NetworkFlags {
  readonly interface?: string;
  readonly proxy?: string;
  readonly ipFilter?: readonly string[];
}

export function addNetworkOptions(command: Command): Command {
  return command
    .option("--interface <name|address>", "leave and come in by this interface only")
    .option("--proxy <url>", "all through this proxy: socks5://HOST:PORT or http://HOST:PORT")
    .addOption(
      new Option(
        "--ip-filter <file>",
        "addresses to keep away (p2p, dat, CIDR); repeat for more",
      ).argParser(collect),
    );
}

/** @param env - `EVERSEED_PROXY` names a proxy with a password, which no list of processes may show (house rule 10). */
export function networkChoice(
  flags: NetworkFlags,
  env: Readonly<Record<string, string | undefined>>,
): Parameters<typeof openChosenNetwork>[0] {
  return {
    interface: flags.interface,
    proxy: flags.proxy ?? (env["EVERSEED_PROXY"] || undefined),
    ipFilters: flags.ipFilter ?? [],
    mayWait: false,
  };
}

/** A log of what becomes of the choice. Its warnings are for everybody: somebody relies on what does not work. */
export function networkLog(output: Output): Log {
  return {
    ...wordsLog((line) => output.detail(escapeOutside(line))),
    info: (message) => output.say(escapeOutside(message)),
    warn: (message) => output.warn(escapeOutside(message)),
  };
}
