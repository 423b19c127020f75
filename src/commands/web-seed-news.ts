import type { WebSeedStatus } from "../engine/session-contract.ts";

/** A web seed does something else than before. */
export interface WebSeedNewsEvent {
  readonly kind: "web-seed";
  readonly url: string;
  readonly state: WebSeedStatus["state"];
  /** Why it rests or is left alone. */
  readonly reason: string | undefined;
}

/** Tells what the web seeds of a download do, whenever that has changed. */
export class WebSeedNews {
  readonly #told = new Map<string, string>();
  readonly #onEvent: (event: WebSeedNewsEvent) => void;

  constructor(onEvent: (event: WebSeedNewsEvent) => void) {
    this.#onEvent = onEvent;
  }

  tell(seeds: readonly WebSeedStatus[]): void {
    for (const { url, state, reason } of seeds) {
      const words = `${state} ${reason ?? ""}`;
      const known = this.#told.get(url);
      this.#told.set(url, words);
      // That nothing has begun is no news.
      if (known === words || (known === undefined && state === "idle")) continue;
      this.#onEvent({ kind: "web-seed", url, state, reason });
    }
  }
}
