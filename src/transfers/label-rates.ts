import type { TransferEngine } from "./transfer-engine.ts";
import type { LabelSettings } from "./transfer-settings.ts";

/** The engine's group of the torrents with a label. */
export function groupOfLabel(label: string | null): string | undefined {
  return label === null ? undefined : `label:${label}`;
}

/** Tells the engine the rates that the transfers with a label share. */
export class LabelRates {
  readonly #engine: Pick<TransferEngine, "setGroupLimits">;
  /** Labels whose rates the engine knows. */
  readonly #told = new Set<string>();

  constructor(engine: Pick<TransferEngine, "setGroupLimits">) {
    this.#engine = engine;
  }

  set(labels: Readonly<Record<string, LabelSettings>>): void {
    for (const label of this.#told) {
      if (labels[label]?.rates === undefined) this.#tell(label, { down: 0, up: 0 });
    }
    for (const [label, { rates }] of Object.entries(labels)) if (rates) this.#tell(label, rates);
  }

  #tell(label: string, { down, up }: { readonly down: number; readonly up: number }): void {
    this.#engine.setGroupLimits(groupOfLabel(label)!, {
      downBytesPerSecond: down,
      upBytesPerSecond: up,
    });
    if (down === 0 && up === 0) this.#told.delete(label);
    else this.#told.add(label);
  }
}
