import net from "node:net";
import tls from "node:tls";
import { formatAddress, addressBytes } from "../base/endpoint.ts";
import type { HttpQuestion } from "./http-exchange.ts";
import { directSockets, whenConnected } from "./open-socket.ts";

/** How long one of several addresses may take to accept a connection before the next is tried. */
const CONNECT_MS = 5_000;

/** The part of a question that its connection depends on. */
type SocketQuestion = Pick<HttpQuestion, "url" | "addresses" | "signal" | "openSocket">;

/** A connection to the server of a question. */
export interface Connected {
  /** Encrypted where the URL says so; its certificate is verified then. */
  readonly socket: net.Socket;
  /** The address that it leads to. Behind a proxy the socket itself does not tell. */
  readonly from: string;
}

/**
 * Connects to the first of the judged addresses that answers.
 *
 * @throws (rejects with) the error of the last one, or the signal's reason.
 */
export async function connectToFirst(question: SocketQuestion): Promise<Connected> {
  let trouble: unknown;
  for (const [index, address] of question.addresses.entries()) {
    try {
      const isLast = index === question.addresses.length - 1;
      const socket = await connect(question, address, isLast ? undefined : CONNECT_MS);
      return { socket, from: formatAddress(addressBytes(address)!) };
    } catch (error) {
      question.signal.throwIfAborted();
      trouble = error;
    }
  }
  throw trouble;
}

async function connect(
  { url, signal, openSocket = directSockets() }: SocketQuestion,
  address: string,
  timeoutMs: number | undefined,
): Promise<net.Socket> {
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const plain = await openSocket({ address, port }, { signal, timeoutMs });
  if (!secure) return plain;
  const servername = net.isIP(host) === 0 ? { servername: host } : {};
  // Without a name the certificate has to be that of the address.
  const socket = tls.connect({ socket: plain, host, ...servername });
  return whenConnected(socket, { signal, timeoutMs, event: "secureConnect" });
}
