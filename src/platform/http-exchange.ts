import type { HttpPost } from "../ports/net.ts";
import type { OpenSocket } from "./open-socket.ts";

/** One GET or POST to addresses that the guard has already judged. */
export interface HttpQuestion {
  readonly url: URL;
  /** Tried in turn; nothing else is connected to. At least one. */
  readonly addresses: readonly string[];
  readonly userAgent: string;
  /** Bytes of the body as sent. */
  readonly bytesMax: number;
  readonly signal: AbortSignal;
  readonly post?: HttpPost | undefined;
  /** Opens the connection, through a proxy or from a chosen address. Default: the system's way. */
  readonly openSocket?: OpenSocket | undefined;
}

export interface RawHttpReply {
  readonly status: number;
  readonly location: string | undefined;
  /** What the other side says that the time is. */
  readonly date: string | undefined;
  /** The body is compressed with gzip. */
  readonly packed: boolean;
  readonly body: readonly Uint8Array[];
  /** The address that replied. */
  readonly from: string;
}

/**
 * Sends one request and reads the whole reply, without following a redirect.
 *
 * @throws (rejects with) `PlatformError` `reply-too-long`, or the system's error.
 */
export type HttpExchange = (question: HttpQuestion) => Promise<RawHttpReply>;
