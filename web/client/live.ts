import { useEffect, useState } from "preact/hooks";

/** The newest event of a stream, and whether the stream is interrupted. */
export interface Live<T> {
  readonly value: T;
  readonly paused: boolean;
}

/** A short hiccup, as when a laptop wakes, is not worth a bar. */
const hiccupMs = 2500;
const reopenMs = 5000;

/**
 * Follows the server-sent events named `name`. When the stream breaks, the last value stays and `paused` is true
 * until the next event; a hidden tab keeps no stream open.
 */
export function useLive<T>(address: string, name: string, first: T): Live<T> {
  const [value, setValue] = useState(first);
  const [paused, setPaused] = useState(false);
  useEffect(() => setValue(first), [first]);
  useEffect(() => {
    let source: EventSource | undefined;
    let hiccup: ReturnType<typeof setTimeout> | undefined;
    let reopen: ReturnType<typeof setTimeout> | undefined;
    const close = (): void => {
      source?.close();
      source = undefined;
      clearTimeout(hiccup);
      clearTimeout(reopen);
      hiccup = undefined;
    };
    const open = (): void => {
      close();
      source = new EventSource(address);
      source.addEventListener(name, (event: MessageEvent<string>) => {
        clearTimeout(hiccup);
        hiccup = undefined;
        setPaused(false);
        // Written by our own hub; the schema of this event is in src/api/.
        setValue(JSON.parse(event.data) as T);
      });
      source.addEventListener("error", () => {
        hiccup ??= setTimeout(() => setPaused(true), hiccupMs);
        // The browser reconnects by itself after a lost connection, but not after a refusal.
        if (source?.readyState === EventSource.CLOSED) reopen = setTimeout(open, reopenMs);
      });
    };
    const followVisibility = (): void => {
      if (document.visibilityState === "visible") open();
      else close();
    };
    followVisibility();
    document.addEventListener("visibilitychange", followVisibility);
    return () => {
      document.removeEventListener("visibilitychange", followVisibility);
      close();
    };
  }, [address, name]);
  return { value, paused };
}
