import { ipOf } from "../base/peer-address.ts";
import { CommandError } from "../commands/command-error.ts";
import { FilterError, type FilterErrorCode } from "../guard/filter-error.ts";
import { FilterFiles } from "../guard/filter-files.ts";
import { GuardedTransport } from "../guard/guarded-transport.ts";
import { gunzipParts } from "../platform/gunzip-parts.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";
import type { Log } from "../ports/log.ts";
import type { NetFailure, PeerTransport } from "../ports/net.ts";

/** How a person wants this program to use the network. */
export interface NetworkChoice {
  /** Paths of lists of addresses that no peer may have. */
  readonly ipFilters: readonly string[];
}

/** The way to the network that follows from a choice. */
export interface Network extends Disposable {
  /** Keeps the peers away that were chosen so, whoever opens the connection. */
  guard(transports: readonly PeerTransport[]): readonly PeerTransport[];
}

/** Without a choice there is nothing between the engine and its transports. */
export const OPEN_NETWORK: Network = {
  guard: (transports) => transports,
  [Symbol.dispose]: () => undefined,
};

/** @throws {CommandError} (rejects) When what was chosen cannot be done: nothing is left open. */
export async function openNetwork({ ipFilters }: NetworkChoice, log: Log): Promise<Network> {
  if (ipFilters.length === 0) return OPEN_NETWORK;
  const clock = new NodeClock();
  const filters = await openFilters(ipFilters, clock, log);
  const judge = (remote: Parameters<typeof ipOf>[0]): NetFailure | undefined => {
    const address = ipOf(remote);
    if (address === undefined || !filters.has(address)) return undefined;
    return { code: "EACCES", message: `an IP filter keeps ${address} away` };
  };
  return {
    guard: (transports) =>
      transports.map(
        (lower) =>
          new GuardedTransport({
            lower,
            judge,
            clock,
            watch: (listener) => filters.watch(listener),
          }),
      ),
    [Symbol.dispose]: () => filters.close(),
  };
}

async function openFilters(
  paths: readonly string[],
  clock: NodeClock,
  log: Log,
): Promise<FilterFiles> {
  try {
    const files = new NodeUserFiles();
    return await FilterFiles.open({ paths, files, gunzip: gunzipParts, clock, log });
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new CommandError(COMMAND_CODES[error.code], `${error.message}.`, {
      hint: "a list in p2p, dat or CIDR form, packed with gzip or not.",
      cause: error,
    });
  }
}

const COMMAND_CODES = {
  "not-found": "not-found",
  "not-readable": "not-readable",
  "no-list": "bad-plan",
  "too-many": "bad-plan",
} as const satisfies Record<FilterErrorCode, CommandError["code"]>;
