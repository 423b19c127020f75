/** What is known of a request besides itself: the socket's ends, never what a header claims (TRK-2). */
export interface RequestContext {
  readonly remoteAddress: string;
  /** Address of this machine the request came to; `undefined` when there is no socket. */
  readonly localAddress: string | undefined;
  /** A proxy on this machine passed it on, and the owner named none: nothing is known of who asks. */
  readonly unnamedProxy?: boolean;
  /** Ends the connection: an answer that cannot be finished must not be taken for a whole one. */
  readonly cut?: () => void;
}

export type WebHandler = (request: Request, context: RequestContext) => Promise<Response>;
