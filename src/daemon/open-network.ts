import type { Endpoint } from "../base/endpoint.ts";
import { ipOf, type PeerAddress } from "../base/peer-address.ts";
import { CommandError } from "../commands/command-error.ts";
import { BoundInterface } from "../guard/bound-interface.ts";
import { boundDatagrams, boundTransport } from "../guard/bound-net.ts";
import { FilterError, type FilterErrorCode } from "../guard/filter-error.ts";
import { FilterFiles } from "../guard/filter-files.ts";
import type { MakeFetch } from "../guard/guarded-fetch.ts";
import { GuardedTransport, type StreamJudge } from "../guard/guarded-transport.ts";
import type { OpenRangeLine } from "../guard/web-seed-guard.ts";
import { gunzipParts } from "../platform/gunzip-parts.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";
import { NodeMulticast } from "../platform/multicast-net.ts";
import { directSockets, type LocalAddress } from "../platform/open-socket.ts";
import { ownInterfaces } from "../platform/own-interfaces.ts";
import { TcpNet } from "../platform/tcp-net.ts";
import { UdpNet } from "../platform/udp-net.ts";
import type { Log } from "../ports/log.ts";
import type { DatagramNet, MulticastNet, NetFailure, PeerTransport } from "../ports/net.ts";
import { fetchMaker, rangeLineOpener } from "./open-fetch.ts";

/** How a person wants this program to use the network. */
export interface NetworkChoice {
  /** The name or an address of the interface that all traffic with peers and trackers is bound to. */
  readonly interface?: string | undefined;
  /** Paths of lists of addresses that no peer may have. */
  readonly ipFilters: readonly string[];
}

/** The way to the network that follows from a choice. */
export interface Network extends Disposable {
  /** TCP to peers. @param allowRemote - Called before each connection that we open (house rule 8). */
  openTcp(allowRemote: (peer: Endpoint) => boolean): PeerTransport<"tcp">;
  readonly datagrams: DatagramNet;
  readonly multicast: MulticastNet;
  readonly makeFetch: MakeFetch;
  readonly openRangeLine: OpenRangeLine;
  /** Keeps the peers away that were chosen so, whoever opens the connection. */
  guard(transports: readonly PeerTransport[]): readonly PeerTransport[];
}

/** A test that starts a program speaks to no other machine, wherever the program listens. */
const HAS_NEIGHBOURS = process.env["EVERSEED_TEST_LINKS"] !== "own";

/** The network as the system has it. */
export function openNetwork(log: Log): Network {
  return {
    openTcp: (allowRemote) => new TcpNet({ log, allowRemote }),
    datagrams: new UdpNet({ log }),
    multicast: new NodeMulticast({ log, hasNeighbours: HAS_NEIGHBOURS }),
    makeFetch: fetchMaker(),
    openRangeLine: rangeLineOpener(),
    guard: (transports) => transports,
    [Symbol.dispose]: () => undefined,
  };
}

/**
 * Opens the network as a person wants it.
 *
 * @param choice.mayWait - Whether the interface may be absent now: nothing is sent until it is there.
 * @throws {CommandError} (rejects) When what was chosen cannot be done: nothing is left open.
 */
export async function openChosenNetwork(
  { interface: wanted, ipFilters, mayWait }: NetworkChoice & { readonly mayWait: boolean },
  log: Log,
): Promise<Network> {
  const open = openNetwork(log);
  if (wanted === undefined && ipFilters.length === 0) return open;
  const clock = new NodeClock();
  const bound = wanted === undefined ? undefined : bindTo(wanted, { mayWait, clock, log });
  const filters =
    ipFilters.length === 0
      ? undefined
      : await openFilters(ipFilters, clock, log).catch((error: unknown) => {
          bound?.close();
          throw error;
        });
  const judge: StreamJudge = (remote, local) =>
    judgeInterface(bound, remote, local) ?? judgeFilters(filters, remote);
  const watch = (listener: () => void): (() => void) => {
    const ends = [bound?.watch(listener), filters?.watch(listener)];
    return () => ends.forEach((end) => end?.());
  };
  return {
    ...(bound ? boundNetwork(bound, clock, log) : open),
    guard: (transports) =>
      transports.map((lower) => new GuardedTransport({ lower, judge, clock, watch })),
    [Symbol.dispose]: () => {
      bound?.close();
      filters?.close();
    },
  };
}

/** Everything leaves from the addresses of one interface, and comes in there. */
function boundNetwork(
  bound: BoundInterface,
  clock: NodeClock,
  log: Log,
): Omit<Network, "guard" | typeof Symbol.dispose> {
  const localAddress: LocalAddress = (family) => bound.addressOf(family);
  const way = { openSocket: directSockets(localAddress) };
  return {
    openTcp: (allowRemote) =>
      boundTransport(new TcpNet({ log, allowRemote, localAddress }), { bound, clock, log }),
    datagrams: boundDatagrams(new UdpNet({ log }), { bound, clock, log }),
    multicast: new NodeMulticast({ log, localAddress, hasNeighbours: HAS_NEIGHBOURS }),
    makeFetch: fetchMaker(way),
    openRangeLine: rangeLineOpener(way),
  };
}

function bindTo(
  wanted: string,
  {
    mayWait,
    clock,
    log,
  }: { readonly mayWait: boolean; readonly clock: NodeClock; readonly log: Log },
): BoundInterface {
  const bound = new BoundInterface({ wanted, interfaces: ownInterfaces, clock, log });
  if (bound.addresses.length > 0) return bound;
  if (mayWait) {
    log.warn(
      `the interface ${wanted} is not there: nothing is sent to peers and trackers until it is`,
    );
    return bound;
  }
  bound.close();
  const names = [...new Set(ownInterfaces().map(({ name }) => name))].join(", ");
  throw new CommandError("not-found", `There is no interface ${wanted}, or it has no address.`, {
    hint: `one of ${names}, or an address of this machine.`,
  });
}

/** A connection whose address is not the interface's any more would leave by another one. */
function judgeInterface(
  bound: BoundInterface | undefined,
  remote: PeerAddress,
  local: Endpoint | undefined,
): NetFailure | undefined {
  const address = ipOf(remote);
  if (!bound || address === undefined) return undefined;
  const isThere = bound.addressOf(address.includes(":") ? 6 : 4) !== undefined;
  const isOwn = local === undefined || remote.kind !== "tcp" || bound.has(local.address);
  if (isThere && isOwn) return undefined;
  return { code: "ENETDOWN", message: `the interface ${bound.name} does not lead to ${address}` };
}

function judgeFilters(
  filters: FilterFiles | undefined,
  remote: PeerAddress,
): NetFailure | undefined {
  const address = ipOf(remote);
  if (address === undefined || !filters?.has(address)) return undefined;
  return { code: "EACCES", message: `an IP filter keeps ${address} away` };
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
