import net from "node:net";
import type { Endpoint } from "../base/endpoint.ts";

/**
 * Opens the connection of one HTTP request.
 *
 * @param to - A literal address.
 * @throws (rejects with) the system's error, or the signal's reason.
 */
export type OpenSocket = (
  to: Endpoint,
  options: {
    readonly signal: AbortSignal;
    /** Of connecting; without it only the signal ends the wait. */
    readonly timeoutMs?: number | undefined;
  },
) => Promise<net.Socket>;

/** @returns The address that connections of a family leave from; `undefined` when there is none now. */
export type LocalAddress = (family: 4 | 6) => string | undefined;

/** @param localAddress - Where connections leave from; any of the system's when left out. */
export function directSockets(localAddress?: LocalAddress): OpenSocket {
  return async ({ address, port }, { signal, timeoutMs }) => {
    signal.throwIfAborted();
    const leavesFrom = localAddress && leaving(localAddress, address);
    const socket = net.connect({ host: address, port, ...leavesFrom });
    return whenConnected(socket, { signal, timeoutMs });
  };
}

/** @throws When no connection to that address may leave now. */
export function leaving(
  localAddress: LocalAddress,
  to: string,
): { readonly localAddress: string; readonly family: 4 | 6 } {
  const family = net.isIPv6(to) ? 6 : 4;
  const address = localAddress(family);
  if (address !== undefined) return { localAddress: address, family };
  const message = `the chosen interface has no IPv${family} address`;
  throw Object.assign(new Error(message), { code: "ENETDOWN" });
}

/** Resolves when a socket is connected. */
export async function whenConnected(
  socket: net.Socket,
  options: {
    readonly signal: AbortSignal;
    readonly timeoutMs?: number | undefined;
    readonly event?: "connect" | "secureConnect";
  },
): Promise<net.Socket> {
  const { signal, timeoutMs, event = "connect" } = options;
  const { promise, resolve, reject } = Promise.withResolvers<net.Socket>();
  const giveUp = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener("abort", giveUp);
  if (signal.aborted) giveUp();
  const tooSlow = (): void => void socket.destroy(new Error("the connection took too long"));
  if (timeoutMs !== undefined) socket.setTimeout(timeoutMs, tooSlow);
  socket.once("error", reject);
  socket.once(event, () => resolve(socket));
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", giveUp);
    socket.off("error", reject);
    socket.setTimeout(0);
    if (timeoutMs !== undefined) socket.off("timeout", tooSlow);
  }
}
