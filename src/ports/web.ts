/**
 * What is known of a request besides itself: the socket's ends, never the claims of a header
 * (TRK-2).
 */
export interface RequestContext {
  readonly remoteAddress: string;
  /** The address of this machine that received the request; `undefined` without a socket. */
  readonly localAddress: string | undefined;
  /** An unconfigured proxy on this machine forwarded it, so the client's address is unknown. */
  readonly unnamedProxy?: boolean;
  /** Ends the connection: an unfinished answer must not look complete. */
  readonly cut?: () => void;
}

export type WebHandler = (request: Request, context: RequestContext) => Promise<Response>;
