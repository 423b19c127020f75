import type { Endpoint } from "../base/endpoint.ts";

/** Why the world refused; `code` is the operating system's (`EADDRINUSE`, `ECONNREFUSED`...). */
export interface NetFailure {
  readonly code: string;
  readonly message: string;
}

/** What a stream connection tells its owner. Calls never nest inside a call of the owner's own. */
export interface StreamHandler {
  /** An outgoing connection is established. Not called for accepted ones. */
  handleOpen(): void;
  /**
   * Bytes arrived.
   *
   * @param chunk - Borrowed for the length of the call: the buffer is used again for the next read
   *   and shared by all connections, so what is kept must be copied. Bytes past `length` are stale.
   */
  handleBytes(chunk: Uint8Array, length: number): void;
  /**
   * The operating system has taken `bytes` that were written; their buffers are free again. It says nothing about the
   * other machine: the system holds megabytes before somebody who does not read is noticed.
   */
  handleSent(bytes: number): void;
  /** The end, once, whoever caused it; nothing follows. Not called after our own `destroy`. */
  handleClose(failure: NetFailure | undefined): void;
}

/** One reliable byte stream to a peer: TCP now, uTP and WebRTC later. */
export interface StreamConnection {
  readonly remote: Endpoint;
  /** Our side as the connection sees it; `undefined` until open. */
  readonly local: Endpoint | undefined;
  /** Bytes written that the operating system has not taken. */
  readonly bufferedBytes: number;
  /**
   * Bytes written that the other machine has not acknowledged; `undefined` where, or while, that cannot be told. It may
   * cost something, and lag by a second: ask it of those only that seem to take nothing.
   */
  unackedBytes(): number | undefined;
  /** Queues bytes; the buffer is lent until `handleSent` has covered it. */
  write(bytes: Uint8Array): void;
  /** Stops and restarts reading: back-pressure to the remote. */
  pauseReading(): void;
  resumeReading(): void;
  /** Ends at once, without waiting for what is queued. Safe to repeat. */
  destroy(): void;
}

export interface StreamListener {
  readonly local: Endpoint;
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

/** Streams between machines. One transport is one implementation. */
export interface StreamNet {
  /** @throws (rejects with) an error that carries `code`, for instance `EADDRINUSE`. */
  listen(options: ListenOptions): Promise<StreamListener>;
  /** Starts connecting; the outcome arrives as `handleOpen` or `handleClose`. */
  connect(
    remote: Endpoint,
    handler: StreamHandler,
    options: { timeoutMs: number },
  ): StreamConnection;
}

/** One UDP socket. */
export interface DatagramSocket {
  readonly local: Endpoint;
  send(bytes: Uint8Array, to: Endpoint): void;
  close(): void;
}

export interface DatagramNet {
  /** @param receive - `bytes` is borrowed for the length of the call. */
  bind(options: {
    readonly host: string;
    readonly port: number;
    readonly receive: (bytes: Uint8Array, from: Endpoint) => void;
  }): Promise<DatagramSocket>;
  /** Addresses of a name; empty when it has none. Literal addresses are returned as they are. */
  resolve(host: string): Promise<readonly string[]>;
}

export interface HttpReply {
  readonly status: number;
  readonly body: Uint8Array;
  /** The address that replied: the last one, when there were redirects. */
  readonly from: string;
  /** Where a redirect leads when that is no http or https address: a magnet link, for instance. */
  readonly leadsTo?: string | undefined;
}

/** Fetches one resource by GET. Follows at most five redirects, each http or https (TRK-19). */
export interface HttpFetch {
  /** @throws (rejects with) an error whose message a person can read, when there is no reply in time. */
  get(
    url: string,
    options: {
      readonly timeoutMs: number;
      readonly bytesMax: number;
      readonly signal?: AbortSignal;
      /** Reach the host by addresses of this family only; by any when left out. */
      readonly family?: 4 | 6;
    },
  ): Promise<HttpReply>;
}

/** One step of a fetch: the URL asked for, or one that a redirect names. */
export interface HttpHop {
  readonly url: URL;
  /** All addresses of its host. */
  readonly addresses: readonly string[];
}

/**
 * Asked once at each hop (house rule 8). The connection goes to the addresses it returns and to no other; `refused`
 * says to a person why there are none.
 */
export type HopJudge = (hop: HttpHop) => readonly string[] | { readonly refused: string };

export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** Of the whole exchange. */
  readonly timeoutMs: number;
  /** Of the answer. */
  readonly bytesMax: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** Of a redirect, which is told and not followed: it would take a token to wherever it leads. */
  readonly location: string | undefined;
  /** `undefined` when there are more bytes than were asked for. */
  readonly body: Uint8Array | undefined;
}

/** Asks a server that the person named. */
export interface HttpCalls {
  /** @throws (rejects with) an error that carries the system's `code`, itself or in its `cause`; or the signal's reason. */
  send(request: HttpRequest): Promise<HttpAnswer>;
}

export interface UploadRequest {
  /** Where an upload waits for its bytes (tus 1.0). */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of all of it; the server knows where to go on. */
  readonly size: number;
  readonly read: (start: number, end: number) => Promise<Uint8Array>;
  readonly onProgress: (bytesSent: number) => void;
  /** Ends it; what was sent stays. */
  readonly signal: AbortSignal;
}

export type UploadOutcome =
  | { readonly kind: "done" }
  /** @property body - What the server says to it. */
  | { readonly kind: "refused"; readonly status: number; readonly body: string }
  /** The network, or `read`: its error is the cause. */
  | { readonly kind: "failed"; readonly cause: unknown };

/** Sends what a server does not have yet, through short failures of the network or the server. */
export interface Uploads {
  /** @throws (rejects with) the signal's reason. */
  upload(request: UploadRequest): Promise<UploadOutcome>;
}
