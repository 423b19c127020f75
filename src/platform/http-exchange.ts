/** One GET to addresses that are judged already. */
export interface HttpQuestion {
  readonly url: URL;
  /** Tried in turn; nothing else is connected to. At least one. */
  readonly addresses: readonly string[];
  readonly userAgent: string;
  /** Of the body as it arrives. */
  readonly bytesMax: number;
  readonly signal: AbortSignal;
}

export interface RawHttpReply {
  readonly status: number;
  readonly location: string | undefined;
  /** The body is in the form of gzip. */
  readonly packed: boolean;
  readonly body: readonly Uint8Array[];
  /** The address that replied. */
  readonly from: string;
}

/**
 * Asks one question and reads the whole reply, without following a redirect.
 *
 * @throws (rejects with) `PlatformError` `reply-too-long`, or what the system says.
 */
export type HttpExchange = (question: HttpQuestion) => Promise<RawHttpReply>;
