import type net from "node:net";
import { ProxyError } from "../proxy/proxy-error.ts";
import type { ProxyPlace } from "../proxy/proxy-place.ts";
import type { ProxyAddress } from "../proxy/proxy-url.ts";
import { streamThrough, Tunnel } from "../proxy/tunnel.ts";
import type { OpenSocket } from "./open-socket.ts";

export interface TunnelSocketsOptions {
  readonly proxy: ProxyAddress;
  readonly place: ProxyPlace;
  /** The name that an address stands for, which the proxy resolves. */
  readonly nameOf: (address: string) => string | undefined;
  /** Connects to the proxy. */
  readonly direct: OpenSocket;
}

/** Connections of HTTP requests through a proxy. None goes around it (WIR-27). */
export function tunnelSockets(options: TunnelSocketsOptions): OpenSocket {
  const { proxy, place, nameOf, direct } = options;
  return async (to, limits) => {
    const socket = await connectTo(place, direct, limits);
    const target = { host: nameOf(to.address) ?? to.address, port: to.port };
    try {
      return await throughTunnel(socket, new Tunnel(streamThrough(proxy, target)), limits);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  };
}

async function connectTo(
  place: ProxyPlace,
  direct: OpenSocket,
  limits: Parameters<OpenSocket>[1],
): Promise<net.Socket> {
  const { endpoint } = place;
  try {
    return await direct(endpoint, limits);
  } catch (error) {
    limits.signal.throwIfAborted();
    place.handleUnreachable();
    const why = error instanceof Error ? error.message : String(error);
    throw new ProxyError("unreachable", `the proxy cannot be reached: ${why}`, { cause: error });
  }
}

/** @returns The socket, paused; the next bytes are the target's. */
async function throughTunnel(
  socket: net.Socket,
  tunnel: Tunnel,
  { signal, timeoutMs }: Parameters<OpenSocket>[1],
): Promise<net.Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<net.Socket>();
  const giveUp = (): void => reject(signal.reason as Error);
  const tooSlow = (): void => reject(new Error("the proxy took too long"));
  const ended = (): void => reject(new ProxyError("unreachable", "the proxy ended the connection"));
  const take = (bytes: Uint8Array): void => {
    try {
      const { send, open } = tunnel.push(bytes);
      for (const part of send) socket.write(part);
      if (!open) return;
      // Before anything else can arrive: a paused socket keeps what comes.
      socket.off("data", take).pause();
      if (open.early.length > 0) socket.unshift(open.early);
      resolve(socket);
    } catch (error) {
      reject(error);
    }
  };
  signal.addEventListener("abort", giveUp);
  if (timeoutMs !== undefined) socket.setTimeout(timeoutMs, tooSlow);
  socket.on("data", take).once("error", reject).once("end", ended).once("close", ended);
  try {
    socket.write(tunnel.begin());
    return await promise;
  } finally {
    signal.removeEventListener("abort", giveUp);
    socket.setTimeout(0);
    socket.off("data", take).off("error", reject).off("end", ended).off("close", ended);
  }
}
