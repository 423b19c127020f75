import { invariant } from "../base/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { ContentSource, OpenContent } from "../ports/content.ts";
import type { NetFailure, StreamConnection, StreamHandler, PeerTransport } from "../ports/net.ts";

/** Ports that call back. */
export interface CallingPorts {
  readonly clock: Clock;
  readonly transports: readonly PeerTransport[];
  readonly content: ContentSource;
}

type Callable = (...given: never[]) => unknown;

/**
 * Ports promise that they never call back inside a call: the engine would be entered in the middle of a decision. These
 * fail when one does, whoever it calls.
 */
export function guardOutcomes<P extends CallingPorts>(ports: P): P {
  const guard = new OutcomeGuard();
  return {
    ...ports,
    clock: guard.clock(ports.clock),
    transports: ports.transports.map((transport) => guard.transport(transport)),
    content: guard.content(ports.content),
  };
}

class OutcomeGuard {
  /** Calls of ports that the engine is in, innermost last. */
  readonly #calls: string[] = [];

  clock(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
      startTimer: (delayMs, fire) =>
        this.#call("startTimer", () => clock.startTimer(delayMs, this.#outcome("a timer", fire))),
    };
  }

  transport(transport: PeerTransport): PeerTransport {
    return {
      kind: transport.kind,
      listen: (options) => {
        const accept = this.#outcome("accept", options.accept);
        return transport.listen({
          ...options,
          accept: (stream) => this.#handler(accept(this.#methods(stream))),
        });
      },
      dial: (remote, handler, options) =>
        this.#call("dial", () =>
          this.#methods(transport.dial(remote, this.#handler(handler)!, options)),
        ),
    };
  }

  content(source: ContentSource): ContentSource {
    return { open: (layout) => this.#opened(this.#call("open", () => source.open(layout))) };
  }

  #opened({ bytes, judge, watch, places }: OpenContent): OpenContent {
    return {
      bytes: this.#methods(bytes),
      judge: this.#methods(judge),
      watch: watch && this.#methods(watch),
      places: places && this.#methods(places),
    };
  }

  #handler(handler: StreamHandler | undefined): StreamHandler | undefined {
    return (
      handler && {
        handleOpen: this.#outcome("handleOpen", () => handler.handleOpen()),
        handleBytes: this.#outcome("handleBytes", (chunk: Uint8Array, length: number) =>
          handler.handleBytes(chunk, length),
        ),
        handleSent: this.#outcome("handleSent", (bytes: number) => handler.handleSent(bytes)),
        handleClose: this.#outcome("handleClose", (failure: NetFailure | undefined) =>
          handler.handleClose(failure),
        ),
      }
    );
  }

  /** The same with every method a call in which nothing it was given may be called. */
  #methods<T extends StreamConnection | (OpenContent[keyof OpenContent] & object)>(port: T): T {
    return new Proxy(port, {
      get: (_port, name) => {
        const member: unknown = Reflect.get(port, name, port);
        if (typeof member !== "function") return member;
        return (...given: unknown[]): unknown => {
          const guarded = given.map((each) => this.#given(each)) as never[];
          return this.#call(String(name), (): unknown =>
            Reflect.apply(member as Callable, port, guarded),
          );
        };
      },
    });
  }

  /** A callback is given as it is, or as `onDone` and `onPiece` of options. */
  #given(value: unknown): unknown {
    if (typeof value === "function") return this.#outcome("a callback", value as Callable);
    if (typeof value !== "object" || value === null || !("onDone" in value)) return value;
    const members = Object.entries(value).map(([name, member]) => [name, this.#given(member)]);
    return Object.fromEntries(members) as unknown;
  }

  #outcome<F extends Callable>(name: string, callback: F): F {
    const guarded = (...given: never[]): unknown => {
      const call = this.#calls.at(-1);
      invariant(call === undefined, `${name} comes after ${call} has returned`);
      return callback(...given);
    };
    return guarded as F;
  }

  #call<T>(name: string, run: () => T): T {
    this.#calls.push(name);
    try {
      return run();
    } finally {
      this.#calls.pop();
    }
  }
}
