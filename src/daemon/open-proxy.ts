import type { Endpoint } from "../base/endpoint.ts";
import { CommandError } from "../commands/command-error.ts";
import { GuardedTransport } from "../guard/guarded-transport.ts";
import type { NodeClock } from "../platform/node-clock.ts";
import { NodeRandom } from "../platform/node-random.ts";
import type { OpenSocket } from "../platform/open-socket.ts";
import { tunnelSockets } from "../platform/tunnel-sockets.ts";
import type { Log } from "../ports/log.ts";
import type { DatagramNet, NetFailure, PeerTransport } from "../ports/net.ts";
import { NameStandIns } from "../proxy/name-stand-ins.ts";
import { NoDatagrams } from "../proxy/no-datagrams.ts";
import { ProxiedTransport } from "../proxy/proxied-transport.ts";
import { ProxyError } from "../proxy/proxy-error.ts";
import { ProxyPlace } from "../proxy/proxy-place.ts";
import { type ProxyAddress, parseProxyUrl, proxyName } from "../proxy/proxy-url.ts";
import { SocksDatagrams } from "../proxy/socks-datagrams.ts";
import { fetchMaker, type HttpWay, ownNetworks, rangeLineOpener } from "./open-fetch.ts";
import type { NetworkWays } from "./network.ts";

/** The ways to the proxy itself. */
export interface WaysToProxy {
  readonly streams: PeerTransport<"tcp">;
  readonly datagrams: DatagramNet;
  readonly openSocket: OpenSocket;
}

/** Of asking the proxy at the start what it can do. */
const PROBE_MS = 10_000;

/**
 * Opens the network behind a proxy: there is no other way to peers, trackers and web seeds (WIR-27).
 *
 * @param more.mayWait - Whether the proxy may be away now.
 * @throws {CommandError} (rejects) When the text names no proxy, or nothing answers there.
 */
export async function openProxy(
  text: string,
  to: WaysToProxy,
  {
    clock,
    log,
    mayWait,
  }: { readonly clock: NodeClock; readonly log: Log; readonly mayWait: boolean },
): Promise<NetworkWays> {
  try {
    return await open(parseProxyUrl(text), to, { clock, log, mayWait });
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    if (error.code === "bad-url") {
      const hint = "socks5://127.0.0.1:1080, for example.";
      throw new CommandError("bad-plan", `That is no address of a proxy. ${error.message}`, {
        hint,
      });
    }
    const isLogin = error.code === "login";
    const hint = isLogin
      ? "socks5://NAME:PASSWORD@HOST:PORT, in EVERSEED_PROXY or the key engine.proxy."
      : "check its address, and whether it runs.";
    throw new CommandError(isLogin ? "not-allowed" : "unreachable", sentence(error.message), {
      hint,
      cause: error,
    });
  }
}

async function open(
  proxy: ProxyAddress,
  { streams, datagrams, openSocket }: WaysToProxy,
  {
    clock,
    log,
    mayWait,
  }: { readonly clock: NodeClock; readonly log: Log; readonly mayWait: boolean },
): Promise<NetworkWays> {
  const place = await ProxyPlace.open({
    proxy,
    resolve: (host) => datagrams.resolve(host),
    clock,
  });
  const names = new NameStandIns(new NodeRandom());
  const relayed = new SocksDatagrams({ proxy, place, streams, datagrams, names, clock, log });
  const refusal = await probe(proxy, { place, relayed, openSocket }).catch((error: unknown) => {
    if (!mayWait || !(error instanceof ProxyError)) throw error;
    log.warn(`${proxyName(proxy)} does not answer (${error.message}): nothing goes around it`);
    return undefined;
  });
  const way: HttpWay = {
    openSocket: tunnelSockets({
      proxy,
      place,
      nameOf: (address) => names.nameOf(address),
      direct: openSocket,
    }),
    lookUp: async (host) => [names.of(host)],
  };
  const proxied = new ProxiedTransport({ proxy, place, lower: streams, clock });
  const carriesDatagrams = refusal === undefined;
  return {
    openTcp: (allowRemote) =>
      new GuardedTransport({
        lower: proxied,
        judge: (remote) =>
          remote.kind === "tcp" && !allowRemote(remote.endpoint)
            ? refusalOf(remote.endpoint)
            : undefined,
        watch: () => () => undefined,
        clock,
      }),
    datagrams: carriesDatagrams ? relayed : new NoDatagrams(names),
    // Neighbours are not behind the proxy.
    multicast: {
      join: async () => {
        throw new ProxyError("refused", "no multicast goes through a proxy, and none around it");
      },
    },
    makeFetch: fetchMaker(way),
    openRangeLine: rangeLineOpener(way),
    networks: ownNetworks((address) => names.reachOf(address)),
    behindProxy: {
      name: proxyName(proxy),
      carriesDatagrams,
      isStandIn: (address) => names.nameOf(address) !== undefined,
      words: wordsFor(proxy, refusal),
    },
  };
}

/** @returns Why it carries no datagrams; `undefined` when it does. @throws {ProxyError} (rejects) `unreachable`. */
async function probe(
  proxy: ProxyAddress,
  parts: {
    readonly place: ProxyPlace;
    readonly relayed: SocksDatagrams;
    readonly openSocket: OpenSocket;
  },
): Promise<string | undefined> {
  if (proxy.kind === "http") {
    const signal = AbortSignal.timeout(PROBE_MS);
    try {
      (await parts.openSocket(parts.place.endpoint, { signal })).destroy();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = `the proxy ${proxyName(proxy)} cannot be reached: ${why}`;
      throw new ProxyError("unreachable", message, { cause: error });
    }
    return "HTTP proxies carry none";
  }
  try {
    (await parts.relayed.bind({ receive: () => undefined })).close();
    return undefined;
  } catch (error) {
    if (!(error instanceof ProxyError) || error.code !== "refused") throw error;
    return error.message;
  }
}

function wordsFor(proxy: ProxyAddress, refusal: string | undefined): string {
  const name = proxyName(proxy);
  const always = "connections that peers open, neighbours (LSD) and router mappings";
  if (refusal === undefined) {
    return (
      `All goes through the proxy ${name}: peers over TCP and uTP, HTTP and UDP trackers, web seeds and the DHT. ` +
      `Off: ${always}.`
    );
  }
  return (
    `All goes through the proxy ${name}: peers over TCP, HTTP trackers and web seeds. Off, because it carries no ` +
    `datagrams (${refusal}): uTP, UDP trackers and the DHT. Off with any proxy: ${always}.`
  );
}

function refusalOf({ address }: Endpoint): NetFailure {
  return { code: "EACCES", message: `connecting to ${address} is not allowed` };
}

function sentence(text: string): string {
  const first = text.slice(0, 1).toUpperCase() + text.slice(1);
  return first.endsWith(".") ? first : `${first}.`;
}
