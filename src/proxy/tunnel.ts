import { concatBytes } from "../base/bytes.ts";
import { HttpConnect } from "./http-connect.ts";
import type { ProxyAddress } from "./proxy-url.ts";
import { SocksHandshake } from "./socks-handshake.ts";
import type { TunnelHandshake, TunnelOpen, TunnelTarget } from "./tunnel-handshake.ts";

/** @returns A handshake that opens a stream to the target. */
export function streamThrough(proxy: ProxyAddress, target: TunnelTarget): TunnelHandshake {
  return proxy.kind === "http"
    ? new HttpConnect(target, proxy.login)
    : new SocksHandshake({ command: "connect", target, login: proxy.login });
}

/** What `Tunnel.push` leads to. */
export interface TunnelNews {
  readonly send: readonly Uint8Array[];
  /** Set when the tunnel is open. @property early - Bytes from the target that came with the proxy's answer. */
  readonly open?: (TunnelOpen & { readonly early: Uint8Array }) | undefined;
}

/** Feeds a handshake with bytes as they arrive. Not used any more once the tunnel is open. */
export class Tunnel {
  readonly #handshake: TunnelHandshake;
  #received: Uint8Array = new Uint8Array(0);

  constructor(handshake: TunnelHandshake) {
    this.#handshake = handshake;
  }

  /** @throws {ProxyError} */
  begin(): Uint8Array {
    return this.#handshake.begin();
  }

  /**
   * @param bytes - Kept: do not reuse the buffer.
   * @throws {ProxyError}
   */
  push(bytes: Uint8Array): TunnelNews {
    this.#received = concatBytes([this.#received, bytes]);
    const send: Uint8Array[] = [];
    for (;;) {
      const step = this.#handshake.next(this.#received);
      this.#received = this.#received.subarray(step.consumed);
      if (step.send) send.push(step.send);
      if (step.open) return { send, open: { ...step.open, early: this.#received } };
      if (step.consumed === 0) return { send };
    }
  }
}
