import type { RefusalCause, RouterProtocol } from "./router-client.ts";
import type { MappedTransport } from "./transport-name.ts";

/** Ports of ours; UDP has the number of TCP wherever this is possible. */
export interface InnerPorts {
  readonly tcp: number;
  /** `undefined`: nothing listens for UDP. */
  readonly udp: number | undefined;
}

/** This machine in its network. */
export interface NetworkPlace {
  /** Our address there. */
  readonly address: string;
  /** `undefined` where the system does not tell it. */
  readonly gateway: string | undefined;
}

/** @property endsAtMs - `undefined`: not by itself. */
export interface HeldMapping {
  readonly transport: MappedTransport;
  readonly innerPort: number;
  readonly outerPort: number;
  readonly endsAtMs: number | undefined;
}

export interface RouterRefusal {
  readonly protocol: RouterProtocol;
  readonly router: string | undefined;
  readonly cause: RefusalCause;
  readonly words: string;
}

/** What the mapper knows. */
export interface MapperState {
  /** `searching` becomes `none` when people need not wait any longer; a router that comes later is taken all the same. */
  readonly kind: "searching" | "mapping" | "mapped" | "lost" | "refused" | "none" | "stopped";
  readonly protocol: RouterProtocol | undefined;
  readonly router: string | undefined;
  /** The router's own address; `undefined` while it is not known, empty when it does not tell. */
  readonly outerAddress: string | undefined;
  readonly mappings: readonly HeldMapping[];
  readonly refusal: RouterRefusal | undefined;
}
