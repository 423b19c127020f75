import type { Endpoint } from "../base/endpoint.ts";
import { ipOf, type PeerAddress, type TransportKind } from "../base/peer-address.ts";
import { CommandError } from "../commands/command-error.ts";
import { BoundInterface } from "../guard/bound-interface.ts";
import { boundDatagrams, boundTransport } from "../guard/bound-net.ts";
import { FilterError, type FilterErrorCode } from "../guard/filter-error.ts";
import { FilterFiles } from "../guard/filter-files.ts";
import {
  filteredDatagrams,
  filteredFetch,
  filteredMulticast,
  filteredRangeLines,
  type RefusalOf,
} from "../guard/filtered-net.ts";
import { GuardedTransport, type StreamJudge } from "../guard/guarded-transport.ts";
import { gunzipParts } from "../platform/gunzip-parts.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";
import { NodeMulticast } from "../platform/multicast-net.ts";
import { directSockets, type LocalAddress } from "../platform/open-socket.ts";
import { ownInterfaces } from "../platform/own-interfaces.ts";
import { TcpNet } from "../platform/tcp-net.ts";
import { UdpNet } from "../platform/udp-net.ts";
import { type Log, SILENT_LOG } from "../ports/log.ts";
import type { NetFailure, PeerTransport } from "../ports/net.ts";
import { networkReach, networkTroubles } from "./network-reach.ts";
import { fetchMaker, ownNetworks, rangeLineOpener } from "./open-fetch.ts";
import type { BehindProxy, Network, NetworkChoice, NetworkWays } from "./network.ts";
import { openProxy } from "./open-proxy.ts";

/** A test that starts a program speaks to no other machine, wherever the program listens. */
const HAS_NEIGHBOURS = process.env["EVERSEED_TEST_LINKS"] !== "own";

/** The network as the system has it. */
export function openNetwork(log: Log): Network {
  return {
    troubles: () => new Map(),
    openTcp: (allowRemote) => new TcpNet({ log, allowRemote }),
    datagrams: new UdpNet({ log }),
    multicast: new NodeMulticast({ log, hasNeighbours: HAS_NEIGHBOURS }),
    makeFetch: fetchMaker(),
    openRangeLine: rangeLineOpener(),
    networks: ownNetworks(),
    guard: (transports) => transports,
    reach: () => ({}),
    [Symbol.dispose]: () => undefined,
  };
}

/**
 * Opens the network as a person wants it.
 *
 * @param choice.mayWait - Whether interface and proxy may be away now: nothing is sent until they are there.
 * @param choice.mayMissFilters - Whether IP filters may be away now: the others hold, and each is read as soon as it can be.
 * @throws {CommandError} (rejects) When what was chosen cannot be done: nothing is left open.
 */
export async function openChosenNetwork(
  choice: NetworkChoice & { readonly mayWait: boolean; readonly mayMissFilters?: boolean },
  log: Log,
): Promise<Network> {
  const { interface: wanted, proxy, ipFilters, mayWait } = choice;
  const open = openNetwork(log);
  if (wanted === undefined && proxy === undefined && ipFilters.length === 0) return open;
  const clock = new NodeClock();
  const ends: (() => void)[] = [];
  try {
    const bound = wanted === undefined ? undefined : bindTo(wanted, { mayWait, clock, log });
    if (bound) ends.push(() => bound.close());
    const mayMiss = choice.mayMissFilters ?? false;
    const filters =
      ipFilters.length > 0 ? await openFilters(ipFilters, { mayMiss, clock, log }) : undefined;
    if (filters) ends.push(() => filters.close());
    const system = bound ? boundNetwork(bound, clock, log) : open;
    const direct = await throughProxy(proxy, { bound, system, mayWait, clock, log });
    const refusalOf = filters && refusals(filters, direct.behindProxy);
    const ways = refusalOf ? filteredWays(direct, refusalOf) : direct;
    return {
      ...ways,
      guard: (transports) =>
        transports.map((each) => {
          const lower = ways.behindProxy ? outgoingOnly(each) : each;
          // Behind a proxy the interface is that of the connections to the proxy.
          const boundOf = ways.behindProxy ? undefined : bound;
          return guardBy({ bound: boundOf, filters, refusalOf }, lower, clock);
        }),
      reach: () => networkReach({ bound, filters, behindProxy: ways.behindProxy }),
      troubles: () => networkTroubles({ bound, filters }),
      [Symbol.dispose]: () => ends.forEach((end) => end()),
    };
  } catch (error) {
    for (const end of ends) end();
    throw error;
  }
}

/** A stand-in is no address: the proxy alone knows where its name leads. */
function refusals(filters: FilterFiles, behindProxy: BehindProxy | undefined): RefusalOf {
  return (address) =>
    filters.has(address) && !behindProxy?.isStandIn(address)
      ? `an IP filter keeps ${address} away`
      : undefined;
}

/** The filters hold for whoever is spoken to: peers (see `guard`), nodes, trackers, neighbours, web seeds and other servers. */
function filteredWays(ways: NetworkWays, refusalOf: RefusalOf): NetworkWays {
  return {
    ...ways,
    datagrams: filteredDatagrams(ways.datagrams, refusalOf),
    multicast: filteredMulticast(ways.multicast, refusalOf),
    makeFetch: filteredFetch(ways.makeFetch, refusalOf),
    openRangeLine: filteredRangeLines(ways.openRangeLine, refusalOf),
    refusalOf,
  };
}

/** Everything leaves from the addresses of one interface, and comes in there. */
function boundNetwork(bound: BoundInterface, clock: NodeClock, log: Log): NetworkWays {
  const localAddress: LocalAddress = (family) => bound.addressOf(family);
  const way = { openSocket: directSockets(localAddress) };
  return {
    openTcp: (allowRemote) =>
      boundTransport(new TcpNet({ log, allowRemote, localAddress }), { bound, clock, log }),
    datagrams: boundDatagrams(new UdpNet({ log }), { bound, clock, log }),
    multicast: new NodeMulticast({ log, localAddress, hasNeighbours: HAS_NEIGHBOURS }),
    makeFetch: fetchMaker(way),
    openRangeLine: rangeLineOpener(way),
    networks: ownNetworks(),
  };
}

async function throughProxy(
  proxy: string | undefined,
  how: {
    readonly bound: BoundInterface | undefined;
    readonly system: NetworkWays;
    readonly mayWait: boolean;
    readonly clock: NodeClock;
    readonly log: Log;
  },
): Promise<NetworkWays> {
  const { bound, system, clock, log } = how;
  if (proxy === undefined) return system;
  const streams = guardBy(
    { bound },
    system.openTcp(() => true),
    clock,
  );
  // Nobody listens with it, and connections to the proxy end with the interface all the same.
  streams.follow();
  const openSocket = directSockets(bound && ((family) => bound.addressOf(family)));
  const ways = await openProxy(proxy, { streams, datagrams: system.datagrams, openSocket }, how);
  if (ways.behindProxy) log.info(ways.behindProxy.words);
  return ways;
}

function guardBy<Kind extends TransportKind>(
  by: {
    readonly bound: BoundInterface | undefined;
    readonly filters?: FilterFiles | undefined;
    readonly refusalOf?: RefusalOf | undefined;
  },
  lower: PeerTransport<Kind>,
  clock: NodeClock,
): GuardedTransport<Kind> {
  const { bound, filters, refusalOf } = by;
  const judge: StreamJudge = (remote, local) =>
    judgeInterface(bound, remote, local) ?? judgeFilters(refusalOf, remote);
  const watch = (listener: () => void): (() => void) => {
    const ends = [bound?.watch(listener), filters?.watch(listener)];
    return () => ends.forEach((end) => end?.());
  };
  return new GuardedTransport({ lower, judge, clock, watch });
}

/** Takes no calls, and opens its port all the same where calls of ours leave from it; nobody is told of that port. */
function outgoingOnly(lower: PeerTransport): PeerTransport {
  return {
    kind: lower.kind,
    dial: (address, handler, options) => lower.dial(address, handler, options),
    listen: async (options) => {
      const listener = await lower.listen({ ...options, accept: () => undefined });
      return { local: undefined, close: () => listener.close() };
    },
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
  refusalOf: RefusalOf | undefined,
  remote: PeerAddress,
): NetFailure | undefined {
  const address = ipOf(remote);
  const message = address === undefined ? undefined : refusalOf?.(address);
  return message === undefined ? undefined : { code: "EACCES", message };
}

/** @returns Why the lists cannot be used; `undefined` when they can. */
export async function filtersTrouble(paths: readonly string[]): Promise<string | undefined> {
  try {
    const how = { mayMiss: false, clock: new NodeClock(), log: SILENT_LOG };
    (await openFilters(paths, how)).close();
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return error.detail;
  }
}

async function openFilters(
  paths: readonly string[],
  how: { readonly mayMiss: boolean; readonly clock: NodeClock; readonly log: Log },
): Promise<FilterFiles> {
  try {
    const files = new NodeUserFiles();
    return await FilterFiles.open({ paths, files, gunzip: gunzipParts, ...how });
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
