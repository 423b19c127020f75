import { useEffect, useState } from "preact/hooks";
import { announce } from "../parts/announce.ts";
import { visible } from "../parts/format.ts";

/** How long something can be undone. */
const UNDO_SECONDS = 10;
const SAID_MS = 5_000;

interface Toast {
  readonly key: number;
  readonly text: string;
  readonly isTrouble: boolean;
  /** Absent for one that only says something. */
  readonly undo?: () => void;
  readonly endsMs: number;
}

/** Short news at the edge of the window, and the undo of what was just done. */
export class Toasts {
  #toasts: readonly Toast[] = [];
  readonly #pending = new Map<number, (isLeaving: boolean) => void>();
  #key = 0;
  #onChange: (() => void) | undefined;

  get all(): readonly Toast[] {
    return this.#toasts;
  }

  /** @returns Ends it. */
  subscribe(listener: () => void): () => void {
    this.#onChange = listener;
    // What can still be undone when the page is left is carried out.
    const leave = (): void => {
      for (const [key, carryOut] of this.#pending) {
        this.#pending.delete(key);
        carryOut(true);
      }
    };
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("pagehide", leave);
      leave();
      this.#onChange = undefined;
    };
  }

  say(text: string): void {
    this.#add({ text, isTrouble: false }, SAID_MS);
  }

  /** Stays until it is closed. */
  complain(message: string, hint: string | null): void {
    this.#add({ text: hint === null ? message : `${message} ${hint}`, isTrouble: true }, Infinity);
  }

  /** @param how.carryOut - Called when it can no longer be undone. */
  offerUndo(
    text: string,
    how: { readonly undo: () => void; readonly carryOut: (isLeaving: boolean) => void },
  ): void {
    const undo = (): void => {
      this.#pending.delete(key);
      how.undo();
      this.close(key);
    };
    const key = this.#add({ text, isTrouble: false, undo }, UNDO_SECONDS * 1_000);
    this.#pending.set(key, how.carryOut);
  }

  close(key: number): void {
    this.#toasts = this.#toasts.filter((toast) => toast.key !== key);
    const carryOut = this.#pending.get(key);
    this.#pending.delete(key);
    carryOut?.(false);
    this.#onChange?.();
  }

  #add(toast: Omit<Toast, "key" | "endsMs">, forMs: number): number {
    const key = (this.#key += 1);
    this.#toasts = [...this.#toasts, { ...toast, key, endsMs: performance.now() + forMs }];
    announce(toast.text);
    if (Number.isFinite(forMs)) setTimeout(() => this.close(key), forMs);
    this.#onChange?.();
    return key;
  }
}

export function ToastPlace(props: { readonly toasts: Toasts }) {
  const { toasts } = props;
  const [, setTick] = useState(0);
  useEffect(() => toasts.subscribe(() => setTick((tick) => tick + 1)), [toasts]);
  const counts = toasts.all.some(({ undo }) => undo !== undefined);
  useEffect(() => {
    if (!counts) return undefined;
    const timer = setInterval(() => setTick((tick) => tick + 1), 1_000);
    return () => clearInterval(timer);
  }, [counts]);
  return (
    <div class="toasts">
      {toasts.all.map(({ key, text, isTrouble, undo, endsMs }) => (
        <div key={key} class="toast" role={isTrouble ? "alert" : undefined}>
          <bdi>{visible(text)}</bdi>
          {undo === undefined ? (
            <button type="button" class="btn small" onClick={() => toasts.close(key)}>
              Close
            </button>
          ) : (
            <button type="button" class="btn small" onClick={undo}>
              Undo ({Math.max(1, Math.ceil((endsMs - performance.now()) / 1_000))} s)
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
