import { addressBytes, formatEndpoint } from "../base/endpoint.ts";
import { REACH, reachOf, reachOfBytes } from "../base/address-reach.ts";
import type { InnerPorts, MapperState, NetworkPlace, RouterRefusal } from "./mapper-state.ts";
import type { RouterProtocol } from "./router-client.ts";
import type { MappedTransport } from "./transport-name.ts";

export type RouterCase =
  /** Nobody asked for it. */
  | "off"
  /** This machine has a public address of its own. */
  | "unneeded"
  | "searching"
  | "mapped"
  /** The router maps ports, and its own address is private. */
  | "double-nat"
  | "refused"
  /** No router answers. */
  | "none"
  /** The router stopped answering; it is looked for. */
  | "lost";

/** A port that the router passes on. */
export interface MappingStatus {
  readonly transport: MappedTransport;
  readonly innerPort: number;
  readonly outerPort: number;
  /** Until it ends, if it is not renewed; null when it never does. */
  readonly secondsLeft: number | null;
}

/** How a router stands between us and the world, for people and programs. */
export interface RouterStatus {
  /** How good that is: the word that every part of a hub's reach has. */
  readonly state: "works" | "waits" | "warns" | "off";
  readonly case: RouterCase;
  readonly protocol: RouterProtocol | null;
  readonly router: string | null;
  readonly innerAddress: string | null;
  /** The router's address outside, when it tells one. */
  readonly outerAddress: string | null;
  readonly mappings: readonly MappingStatus[];
  /** What is the case, and why: sentences for people. They may quote the router: escape them where they are shown. */
  readonly words: string;
  /** What a person can do about it; null when there is nothing to do. */
  readonly remedy: string | null;
}

/** Between a provider's translator and its customers (RFC 6598). */
const CARRIER = { first: 100, second: 64, secondMask: 0xc0 };

/** Says what the mapper knows. */
export function routerStatus(
  state: MapperState,
  where: { readonly place: NetworkPlace; readonly ports: InnerPorts; readonly nowMs: number },
): RouterStatus {
  const { place, nowMs } = where;
  const outer = state.outerAddress === "" ? undefined : state.outerAddress;
  const name = nameOf(state);
  return {
    state: STATES[name],
    case: name,
    protocol: state.protocol ?? null,
    router: state.router ?? null,
    innerAddress: place.address,
    outerAddress: outer ?? null,
    mappings: state.mappings.map(({ transport, innerPort, outerPort, endsAtMs }) => ({
      transport,
      innerPort,
      outerPort,
      secondsLeft:
        endsAtMs === undefined ? null : Math.max(Math.round((endsAtMs - nowMs) / 1_000), 0),
    })),
    ...sayWhat(name, state, where),
  };
}

/** Nobody wants ports to be mapped. */
export function routerOff(words: string): RouterStatus {
  return { ...NOTHING, state: "off", case: "off", words };
}

/** This machine is on the internet itself. */
export function routerUnneeded(address: string): RouterStatus {
  return {
    ...NOTHING,
    state: "works",
    case: "unneeded",
    innerAddress: address,
    words: `This machine has the public address ${address} itself: no router needs to map its ports.`,
  };
}

/** This machine is in no network. */
export function noNetwork(): RouterStatus {
  return {
    ...NOTHING,
    state: "warns",
    case: "none",
    words: "This machine has no network with a router: peers elsewhere cannot connect to it.",
    remedy: "Connect it to a network; the router is then found by itself.",
  };
}

const STATES: Readonly<Record<RouterCase, RouterStatus["state"]>> = {
  off: "off",
  unneeded: "works",
  searching: "waits",
  mapped: "works",
  "double-nat": "warns",
  refused: "warns",
  none: "warns",
  lost: "warns",
};

const NOTHING = {
  protocol: null,
  router: null,
  innerAddress: null,
  outerAddress: null,
  mappings: [],
  remedy: null,
} as const;

function nameOf({ kind, outerAddress }: MapperState): RouterCase {
  switch (kind) {
    case "mapped":
      return isOutside(outerAddress) ? "mapped" : "double-nat";
    case "mapping":
    case "searching":
      return "searching";
    case "stopped":
      return "off";
    default:
      return kind;
  }
}

/** A router that does not tell its address gets the benefit of the doubt. */
function isOutside(address: string | undefined): boolean {
  return address === undefined || reachOf(address) === REACH.world || !addressBytes(address);
}

type Said = Pick<RouterStatus, "words" | "remedy">;

function sayWhat(
  name: RouterCase,
  state: MapperState,
  { place, ports }: { readonly place: NetworkPlace; readonly ports: InnerPorts },
): Said {
  const router = state.router ?? place.gateway;
  const at = router === undefined ? "The router" : `The router at ${router}`;
  const byHand = `pass TCP and UDP port ${ports.tcp} on to ${place.address} by hand`;
  switch (name) {
    case "searching":
      return { words: "Looking for a router that maps ports.", remedy: null };
    case "mapped":
      return sayMapped(at, state, byHand);
    case "double-nat":
      return sayDouble(at, state, ports);
    case "refused":
      return state.refusal
        ? sayRefused(state.refusal, byHand)
        : { words: `${at} refuses.`, remedy: null };
    case "lost":
      return {
        words: `${at} no longer answers. It is asked again and again; what it mapped may still hold for a while.`,
        remedy: null,
      };
    case "none":
      return {
        words: `No router answers PCP, NAT-PMP or UPnP: peers elsewhere reach this machine only if ${at.toLowerCase()} passes the port on.`,
        remedy: `Switch on UPnP or NAT-PMP in the settings of your router, or ${byHand}.`,
      };
    default:
      return { words: "No ports are mapped.", remedy: null };
  }
}

function sayMapped(at: string, state: MapperState, byHand: string): Said {
  const { mappings, outerAddress, protocol } = state;
  const [tcp, udp] = (["tcp", "udp"] as const).map((transport) =>
    mappings.find((mapping) => mapping.transport === transport),
  );
  const place = (port: number): string =>
    outerAddress ? formatEndpoint({ address: outerAddress, port }) : `port ${port}`;
  const by = `${at} passes`;
  if (tcp && udp && tcp.outerPort === udp.outerPort) {
    return {
      words: `${by} ${place(tcp.outerPort)} on to us, TCP and UDP (${protocol}).`,
      remedy: null,
    };
  }
  if (tcp && udp) {
    const words = `${by} ${place(tcp.outerPort)} (TCP) and port ${udp.outerPort} (UDP) on to us (${protocol}): peers that use UDP expect the number of TCP.`;
    return { words, remedy: `To have one number for both, ${byHand}.` };
  }
  const only = tcp ?? udp;
  if (!only) return { words: `${at} answers.`, remedy: null };
  const other = tcp ? "UDP" : "TCP";
  return {
    words: `${by} ${place(only.outerPort)} on to us, and not ${other} (${protocol}).`,
    remedy: mappings.length === 1 && state.refusal ? `For ${other} too, ${byHand}.` : null,
  };
}

function sayDouble(
  at: string,
  { outerAddress = "0.0.0.0", mappings }: MapperState,
  ports: InnerPorts,
): Said {
  const port = mappings[0]?.outerPort ?? ports.tcp;
  if (outerAddress === "0.0.0.0") {
    return {
      words: `${at} maps ports, but has no address outside: it is not connected to the internet.`,
      remedy: "Look at the connection of your router.",
    };
  }
  const words =
    `${at} maps ports, but its own address ${outerAddress} is private: another router stands between it and the ` +
    "internet, and peers there cannot connect to this machine.";
  const remedy = isCarrier(outerAddress)
    ? "That other router is your provider's: ask for a public IPv4 address, or use IPv6."
    : `Switch one of the two routers to bridge mode, or pass TCP and UDP port ${port} on to ${outerAddress} in the other one.`;
  return { words, remedy };
}

function sayRefused({ router, protocol, cause, words }: RouterRefusal, byHand: string): Said {
  const at = router === undefined ? "The router" : `The router at ${router}`;
  const why = words === "" ? "" : ` It says: ${words}.`;
  switch (cause) {
    case "not-allowed":
      return {
        words: `${at} does not let this machine map ports by ${protocol}.${why}`,
        remedy: `Allow it in the settings of the router, or ${byHand}.`,
      };
    case "port-taken":
      return {
        words: `${at} has given our port, and the others that were tried, to other machines.${why}`,
        remedy: "Choose another port for peers, or remove old entries from the router's list.",
      };
    case "no-room":
      return {
        words: `${at} has no room for another mapping.${why}`,
        remedy: `Remove old entries from its list, or ${byHand}.`,
      };
    case "no-connection":
      return {
        words: `${at} is not connected to the internet.${why}`,
        remedy: "Look at the connection of your router.",
      };
    case "other-address":
      return {
        words: `${at} sees another address than ours: something between it and this machine translates addresses.${why}`,
        remedy:
          "Map the port where the translation takes place; in a container, use the network of the machine.",
      };
    default:
      return {
        words: `${at} answers ${protocol}, and maps no port.${why}`,
        remedy: `Look at its settings, or ${byHand}.`,
      };
  }
}

function isCarrier(address: string): boolean {
  const bytes = addressBytes(address);
  if (bytes?.length !== 4 || reachOfBytes(bytes) !== REACH.network) return false;
  return bytes[0] === CARRIER.first && (bytes[1]! & CARRIER.secondMask) === CARRIER.second;
}
