import type { Endpoint } from "../base/endpoint.ts";
import type { PeerAddress, TransportKind } from "../base/peer-address.ts";

/** Why the system refused; `code` is the operating system's (`EADDRINUSE`, `ECONNREFUSED`...). */
export interface NetFailure {
  readonly code: string;
  readonly message: string;
}

/**
 * The events of a stream connection, for its owner. They never fire inside a call of the owner's
 * own.
 */
export interface StreamHandler {
  /** An outgoing connection was established. Not called for accepted ones. */
  handleOpen(): void;
  /**
   * Bytes arrived.
   *
   * @param chunk - Borrowed for the call, in which it may be changed: all connections share the buffer, and the next
   * read reuses it, so copy what must be kept. Bytes past `length` are stale.
   */
  handleBytes(chunk: Uint8Array, length: number): void;
  /**
   * The operating system has taken `bytes` that were written; their buffers are free again. This
   * says nothing about the other machine: the system buffers megabytes before a peer that does not
   * read shows.
   */
  handleSent(bytes: number): void;
  /**
   * The connection ended, whoever ended it; called once, and nothing follows. Not called after our
   * own `destroy`.
   */
  handleClose(failure: NetFailure | undefined): void;
}

/** One reliable byte stream to a peer. */
export interface StreamConnection {
  /** Where it leads, or comes from. Its kind is the transport of the connection. */
  readonly remote: PeerAddress;
  /** The local address of the connection; `undefined` until it is open, and where the transport has none. */
  readonly local: Endpoint | undefined;
  /** Written bytes that the operating system has not taken yet. */
  readonly bufferedBytes: number;
  /**
   * Written bytes that the other machine has not acknowledged; `undefined` where, or while, this is
   * unknown. It may cost something and lag by a second: query it only for peers that seem to take
   * nothing.
   */
  unackedBytes(): number | undefined;
  /** Queues bytes; the buffer is lent until `handleSent` has covered it. */
  write(bytes: Uint8Array): void;
  /** Stops and restarts reading, for back-pressure. */
  pauseReading(): void;
  resumeReading(): void;
  /**
   * The largest datagram that this stream could receive, in bytes; `undefined` when that is nothing unusual, or there are no
   * datagrams. Tell the other side, which may then be told to send such.
   */
  readonly datagramBytesMax?: number | undefined;
  /** The other side has said, in the stream, that it reads datagrams of so many bytes. Whether they arrive is found out. */
  allowDatagrams?(bytesMax: number): void;
  /** Ends at once and drops queued bytes. Safe to repeat. */
  destroy(): void;
}

export interface StreamListener {
  /** `undefined` where the transport has no ports. */
  readonly local: Endpoint | undefined;
  /** Stops accepting; open connections stay. */
  close(): void;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** @returns The handler of the accepted connection; `undefined` refuses it. */
  readonly accept: (connection: StreamConnection) => StreamHandler | undefined;
}

/** One way to exchange streams with peers. Whoever composes a program decides which of them there are. */
export interface PeerTransport<Kind extends TransportKind = TransportKind> {
  readonly kind: Kind;
  /** @throws (rejects with) an error that carries `code`, for instance `EADDRINUSE`. */
  listen(options: ListenOptions): Promise<StreamListener>;
  /**
   * Starts connecting; the outcome arrives as `handleOpen` or `handleClose`, never inside the call.
   *
   * @param address - Of the kind of this transport.
   */
  dial(address: PeerAddress<Kind>, handler: StreamHandler, options: DialOptions): StreamConnection;
}

export interface DialOptions {
  /** Of connecting. */
  readonly timeoutMs: number;
}

/** One UDP socket. */
export interface DatagramSocket {
  readonly local: Endpoint;
  /** @param bytes - Borrowed for the call. A packet that cannot be sent counts as lost. */
  send(bytes: Uint8Array, to: Endpoint): void;
  /** Calls `fire` when the packets that arrived together have all been handed out; never inside the call. */
  afterBurst(fire: () => void): void;
  /**
   * @returns The largest datagram that the link of this machine to that address takes as one packet; `undefined` when it is
   *   an ordinary one, or unknown.
   */
  bytesMaxTo?(address: string): number | undefined;
  /**
   * Gives the packets from one address and port a queue of their own in the system, so that packets of others do not push
   * them out. Where the system has none they share the queue of the port.
   *
   * @returns Gives the queue back; safe to repeat.
   */
  openQueue?(remote: Endpoint): () => void;
  close(): void;
}

export interface DatagramNet {
  /**
   * @param options.isShared - Other programs may have the port too; a packet to everybody then reaches all of them.
   * @param options.hasQueues - `openQueue` of the socket will be called.
   * @param options.receive - `bytes` is borrowed for the call.
   */
  bind(options: {
    readonly host: string;
    readonly port: number;
    readonly isShared?: boolean;
    readonly hasQueues?: boolean;
    readonly receive: (bytes: Uint8Array, from: Endpoint) => void;
  }): Promise<DatagramSocket>;
  /** Resolves a name; empty when it has no address. Returns literal addresses unchanged. */
  resolve(host: string): Promise<readonly string[]>;
}

/** The links to send on and to hear: those to neighbours, or the one with an own address; that of 127.0.0.1 is inside. */
export type MulticastLinks = "neighbours" | { readonly address: string };

/** Machines on the same links that get what any of them sends to the group. */
export interface MulticastGroup {
  /** To all of them, ourselves included; no router passes it on. It may be lost. */
  send(bytes: Uint8Array): void;
  close(): void;
}

export interface MulticastNet {
  /**
   * @param options.receive - `bytes` is borrowed for the call.
   * @throws (rejects with) an error that carries `code`.
   */
  join(options: {
    readonly group: Endpoint;
    readonly links: MulticastLinks;
    readonly receive: (bytes: Uint8Array, from: Endpoint) => void;
  }): Promise<MulticastGroup>;
}

export interface HttpReply {
  readonly status: number;
  readonly body: Uint8Array;
  /** The address that replied; after redirects, the last one. */
  readonly from: string;
  /** The target of a redirect to something other than http or https, for instance a magnet link. */
  readonly leadsTo?: string | undefined;
  /** The header `Date`, as it was sent. */
  readonly date?: string | undefined;
}

/** What is sent instead of a GET: a redirect is then an answer like others, and is not followed. */
export interface HttpPost {
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** Fetches one resource by GET. Follows at most five redirects, each http or https (TRK-19). */
export interface HttpFetch {
  /** @throws (rejects with) an error with a message for people when there is no reply in time. */
  get(
    url: string,
    options: {
      readonly timeoutMs: number;
      readonly bytesMax: number;
      readonly signal?: AbortSignal;
      /** Connect to addresses of this family only; to any when absent. */
      readonly family?: 4 | 6;
      /** Not for lenient fetchers. */
      readonly post?: HttpPost | undefined;
    },
  ): Promise<HttpReply>;
}

/** One step of a fetch: the requested URL, or the target of a redirect. */
export interface HttpHop {
  readonly url: URL;
  /** All addresses of its host. */
  readonly addresses: readonly string[];
}

/**
 * Called once for each hop (house rule 8). The connection goes to the returned addresses and to no
 * other; `refused` explains to the user why there are none.
 */
export type HopJudge = (hop: HttpHop) => readonly string[] | { readonly refused: string };

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** Limit on the whole exchange. */
  readonly timeoutMs: number;
  /** Limit on the answer's body. */
  readonly bytesMax: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /**
   * The target of a redirect, which is reported and not followed: following would send the token
   * there.
   */
  readonly location: string | undefined;
  /** `undefined` when the body exceeds the limit. */
  readonly body: Uint8Array | undefined;
}

/** Sends requests to a server that the user named. */
export interface HttpCalls {
  /** @throws (rejects with) an error that carries the system's `code`, itself or in its `cause`; or the signal's reason. */
  send(request: HttpRequest): Promise<HttpAnswer>;
}

/** Follows answers that do not end by themselves, such as server-sent events. */
export interface HttpStreams {
  /**
   * @returns Once the head of the answer is there. The chunks end when the server ends them.
   * @throws (rejects with) like `HttpCalls.send`; so does the iteration.
   */
  follow(request: Pick<HttpRequest, "url" | "signal">): Promise<HttpStream>;
}

export interface HttpStream {
  readonly status: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface UploadRequest {
  /** The upload's place on the server (tus 1.0). */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Total bytes; the server knows where to continue. */
  readonly size: number;
  readonly read: (start: number, end: number) => Promise<Uint8Array>;
  readonly onProgress: (bytesSent: number) => void;
  /** Stops the upload; the server keeps what was sent. */
  readonly signal: AbortSignal;
}

export type UploadOutcome =
  | { readonly kind: "done" }
  /** @property body - The server's explanation. */
  | { readonly kind: "refused"; readonly status: number; readonly body: string }
  /** A network failure, or a failure of `read`; the error is the cause. */
  | { readonly kind: "failed"; readonly cause: unknown };

/**
 * Sends what the server does not have yet, and retries through short failures of the network or the
 * server.
 */
export interface Uploads {
  /** @throws (rejects with) the signal's reason. */
  upload(request: UploadRequest): Promise<UploadOutcome>;
}
