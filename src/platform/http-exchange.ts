/** One GET to addresses that the guard has already judged. */
export interface HttpQuestion {
  readonly url: URL;
  /** Tried in turn; nothing else is connected to. At least one. */
  readonly addresses: readonly string[];
  readonly userAgent: string;
  /** Bytes of the body as sent. */
  readonly bytesMax: number;
  readonly signal: AbortSignal;
}

export interface RawHttpReply {
  readonly status: number;
  readonly location: string | undefined;
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
