import type { Endpoint } from "../base/endpoint.ts";

/** Where a tunnel shall lead: a literal address, or a name, which the proxy resolves. */
export interface TunnelTarget {
  readonly host: string;
  readonly port: number;
}

/** What to do after bytes from the proxy. */
export interface TunnelStep {
  /** Bytes that are done with. */
  readonly consumed: number;
  readonly send?: Uint8Array | undefined;
  /** Set when the tunnel is open: the bytes behind `consumed` come from the target. */
  readonly open?: TunnelOpen | undefined;
}

export interface TunnelOpen {
  /** What the proxy says it uses for us; `undefined` where it says none, or a name. */
  readonly bound: Endpoint | undefined;
}

/** One side's part of opening a tunnel through a proxy, as a machine without I/O. */
export interface TunnelHandshake {
  /** The first bytes for the proxy. */
  begin(): Uint8Array;
  /**
   * @param received - All bytes from the proxy that were not consumed. Each machine bounds them itself.
   * @throws {ProxyError} `refused` with the proxy's reason, `bad-reply`.
   */
  next(received: Uint8Array): TunnelStep;
}
