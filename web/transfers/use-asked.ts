import { useEffect, useRef, useState } from "preact/hooks";
import { HubRefusal, parseProblem, type Trouble, troubleOf } from "../client/hub.ts";

/** What the node answered last; the value stays while it does not answer. */
export interface Asked<T> {
  readonly value: T | undefined;
  readonly trouble: Trouble | null;
  /** Asks now. */
  readonly again: () => void;
}

/**
 * Asks for `path` again and again while the tab is visible. An answer that says that nothing has changed costs a line.
 *
 * @param first - What is known already.
 */
export function useAsked<T>(path: string, everyMs: number, first?: T): Asked<T> {
  const [value, setValue] = useState(first);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [round, setRound] = useState(0);
  const etag = useRef<string | null>(null);
  useEffect(() => {
    etag.current = null;
  }, [path]);
  useEffect(() => {
    let isLeft = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        if (document.visibilityState === "visible") {
          const headers = etag.current === null ? {} : { "if-none-match": etag.current };
          const response = await fetch(path, { headers });
          if (response.status !== 304) {
            const text = await response.text();
            if (isLeft) return;
            if (!response.ok) {
              throw new HubRefusal(response.status, parseProblem(text, response.status));
            }
            etag.current = response.headers.get("etag");
            // Our own node wrote it; the shape is the contract of the path.
            setValue(JSON.parse(text) as T);
          }
          if (!isLeft) setTrouble(null);
        }
      } catch (error) {
        if (!isLeft) setTrouble(troubleOf(error));
      }
      if (!isLeft) timer = setTimeout(() => void ask(), everyMs);
    };
    void ask();
    return () => {
      isLeft = true;
      clearTimeout(timer);
    };
  }, [path, everyMs, round]);
  return { value, trouble, again: () => setRound((old) => old + 1) };
}
