import type net from "node:net";
import { withReadBuffer } from "./tcp-connection.ts";

/** One read takes at most this much from the kernel's buffer. */
const RECEIVE_BUFFER_BYTES = 256 * 1024;
/** An unused connection is closed after this long; servers close theirs after 5 s and more. */
const IDLE_MS = 4_000;

/**
 * All connections read into one buffer, as those to peers do: Node delivers each read before it makes the next. It is
 * made with the first connection.
 */
let receiveBuffer: Buffer | undefined;

/** The user of a connection. */
export interface WebConnectionUser {
  /** @param chunk - Borrowed for the call. */
  handleBytes(chunk: Uint8Array): void;
  /** The connection has ended. @param error - `undefined` when the server ended it in order. */
  handleClose(error: Error | undefined): void;
}

/** A connection to a web server, for one request after another. in use <-> idle; any -> closed. */
export class WebConnection {
  readonly #socket: net.Socket;
  #user: WebConnectionUser | undefined;
  #isClosed = false;
  #error: Error | undefined;

  /** @param connected - Plain or encrypted, and nothing has arrived on it yet. */
  constructor(connected: net.Socket) {
    const buffer = (receiveBuffer ??= Buffer.allocUnsafeSlow(RECEIVE_BUFFER_BYTES));
    const onread = {
      buffer,
      callback: (length: number): boolean => {
        this.#received(buffer.subarray(0, length));
        return true;
      },
    };
    // Only plain sockets: an encrypted one decrypts first.
    const buffered = "encrypted" in connected ? undefined : withReadBuffer(connected, { onread });
    this.#socket = buffered ?? connected;
    if (!buffered) this.#socket.on("data", (chunk: Buffer) => this.#received(chunk));
    this.#socket.setNoDelay(true);
    this.#socket.on("error", (error) => (this.#error = error));
    this.#socket.on("end", () => this.#socket.destroy());
    this.#socket.on("timeout", () => this.#socket.destroy());
    this.#socket.on("close", () => this.#closed());
    this.#socket.resume();
  }

  get isOpen(): boolean {
    return !this.#isClosed && !this.#socket.destroyed;
  }

  /** Somebody uses it: sends a request. */
  use(user: WebConnectionUser, request: string): void {
    this.#user = user;
    this.#socket.setTimeout(0);
    this.#socket.write(request, "latin1");
  }

  /** Nobody uses it for now. */
  rest(): void {
    this.#user = undefined;
    this.#socket.setTimeout(IDLE_MS);
  }

  /** Ends it; the user hears nothing more. */
  destroy(): void {
    this.#user = undefined;
    this.#socket.destroy();
  }

  #received(chunk: Uint8Array): void {
    if (this.#user) this.#user.handleBytes(chunk);
    // Bytes without a request: nobody knows what they are.
    else this.#socket.destroy();
  }

  #closed(): void {
    this.#isClosed = true;
    const user = this.#user;
    this.#user = undefined;
    user?.handleClose(this.#error);
  }
}
