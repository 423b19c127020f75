import type { Endpoint } from "../base/endpoint.ts";
import type { MappedTransport } from "./transport-name.ts";

export type RouterProtocol = "PCP" | "NAT-PMP" | "UPnP";

/** A port of ours that a router shall pass on. */
export interface PortWish {
  readonly transport: MappedTransport;
  readonly innerPort: number;
  /** The number we would like outside. */
  readonly outerPort: number;
}

/** Why a router maps nothing. */
export type RefusalCause =
  /** Somebody switched it off, or it is not for this machine. */
  | "not-allowed"
  /** Another machine has that number. */
  | "port-taken"
  /** Its table is full, or our share of it. */
  | "no-room"
  /** It is not connected itself. */
  | "no-connection"
  /** It sees another address than ours: there is a translator between us and it. */
  | "other-address"
  /** It answers, and cannot do this. */
  | "unsupported"
  | "failed";

/** What a client tells of its router. */
export type RouterNews =
  /** A router answers. */
  | { readonly kind: "found" }
  /** There is no router that answers, or it stopped answering. */
  | { readonly kind: "silent" }
  /** It speaks the protocol before this one: NAT-PMP instead of PCP. */
  | { readonly kind: "older" }
  /** A mapping holds. @property lifetimeSeconds - `undefined` when it never ends by itself. */
  | {
      readonly kind: "mapped";
      readonly transport: MappedTransport;
      readonly outerPort: number;
      readonly lifetimeSeconds: number | undefined;
    }
  | {
      readonly kind: "refused";
      readonly transport: MappedTransport;
      readonly cause: RefusalCause;
      /** The router's own words or code; escape them where they are shown. */
      readonly words: string;
    }
  /** The router's own address, as it says: "0.0.0.0" while it has none, empty when it does not tell. */
  | { readonly kind: "outer"; readonly address: string }
  /** The router has lost our mappings. */
  | { readonly kind: "lost" };

export interface RouterDatagram {
  readonly packet: Uint8Array;
  readonly to: Endpoint;
}

/** A request by HTTP to the router's own address. No redirect is followed. */
export interface RouterRequest {
  /** Names the answer. */
  readonly id: number;
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  /** Of the whole exchange. */
  readonly timeoutMs: number;
  /** Of the answer's body. */
  readonly bytesMax: number;
}

/** @property body - `undefined` when it is longer than allowed. `undefined` for the whole: no answer in time. */
export type RouterAnswer =
  | { readonly status: number; readonly body: Uint8Array | undefined }
  | undefined;

/** Maps ports of one router by one protocol. A machine: nothing it does returns an outcome at once. */
export interface RouterClient {
  readonly protocol: RouterProtocol;
  /** Address of the router; `undefined` until it is known. */
  readonly router: string | undefined;
  /** True when nothing is under way. */
  readonly isIdle: boolean;
  /** Begins to look for a router. */
  find(now: number): void;
  /** Asks for a mapping, or renews it. */
  map(wish: PortWish, now: number): void;
  /** Gives a mapping back; nothing is told about it. */
  remove(transport: MappedTransport, now: number): void;
  /** Asks whether the router and its address are as they were. */
  look(now: number): void;
  /** Forgets what is under way. A mapping that is granted later is given back at once. */
  stop(now: number): void;
  handleTimeout(now: number): void;
  nextTimeout(): number | undefined;
  takeNews(): RouterNews[];
  takeDatagrams(): RouterDatagram[];
}

/** A client that finds its router by a search and calls it by HTTP. */
export interface UpnpRouterClient extends RouterClient {
  /** A datagram came to the socket of the search. */
  handlePacket(bytes: Uint8Array, from: Endpoint): void;
  /** @param id - Of the request. */
  handleAnswer(id: number, answer: RouterAnswer): void;
  takeRequests(): RouterRequest[];
}
