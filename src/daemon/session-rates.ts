import type { Session } from "../engine/session.ts";
import type { ReachSettings } from "./reach-settings.ts";

/** Bytes a second; 0 is no limit. */
export interface Rates {
  readonly downBytesPerSecond: number;
  readonly upBytesPerSecond: number;
}

const UNLIMITED: Rates = { downBytesPerSecond: 0, upBytesPerSecond: 0 };

/**
 * The rates of a node's session, set here alone: the lower ones of those in its settings, which change at once, and those
 * that hold for its transfers at this hour.
 */
export class SessionRates {
  readonly #session: Pick<Session, "setLimits">;
  readonly #down: () => number;
  readonly #up: () => number;
  #ofTransfers = UNLIMITED;

  constructor(
    settings: Pick<ReachSettings, "live" | "whenChanged">,
    session: Pick<Session, "setLimits">,
  ) {
    this.#session = session;
    this.#down = settings.live<number>("engine.downBytesPerSecond");
    this.#up = settings.live<number>("engine.upBytesPerSecond");
    settings.whenChanged("engine.downBytesPerSecond", () => this.#apply());
    settings.whenChanged("engine.upBytesPerSecond", () => this.#apply());
  }

  /** Those in the settings, as they are now. */
  get ofNode(): Rates {
    return { downBytesPerSecond: this.#down(), upBytesPerSecond: this.#up() };
  }

  setOfTransfers(rates: Rates): void {
    this.#ofTransfers = rates;
    this.#apply();
  }

  #apply(): void {
    const { ofNode } = this;
    this.#session.setLimits({
      downBytesPerSecond: lower(this.#ofTransfers.downBytesPerSecond, ofNode.downBytesPerSecond),
      upBytesPerSecond: lower(this.#ofTransfers.upBytesPerSecond, ofNode.upBytesPerSecond),
    });
  }
}

/** 0 is no limit. */
function lower(one: number, other: number): number {
  return one === 0 || other === 0 ? Math.max(one, other) : Math.min(one, other);
}
