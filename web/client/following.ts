import { useEffect, useRef, useState } from "preact/hooks";
import type { Page, PageModel } from "../../src/api/pages.ts";
import { announce } from "../parts/announce.ts";
import { fetchPage } from "./page-in-document.ts";

const askAgainAfterErrorMs = 10_000;
/** Progress is announced to a screen reader at most this often. */
const announceMs = 10_000;

/**
 * Requests this page repeatedly while its view is shown; the answer may be another page.
 *
 * @param everyMs - The pause between an answer and the next request.
 * @param say - What a screen reader announces for a new model.
 * @returns True while the hub does not answer.
 */
export function useFollowing(
  model: PageModel,
  replace: (page: Page) => void,
  { everyMs, say }: { everyMs: number; say: (model: PageModel) => string },
): boolean {
  const [lost, setLost] = useState(false);
  const said = useRef({ words: "", atMs: -Infinity });
  useEffect(() => {
    let isLeft = false;
    const ask = async (): Promise<void> => {
      try {
        const page = await fetchPage(location.href);
        if (isLeft) return;
        setLost(false);
        replace(page);
        // It was redirected to the torrent's page.
        if (page.frame.path !== location.pathname + location.search) {
          history.replaceState(history.state, "", page.frame.path);
        }
        const words = say(page.model);
        const nowMs = performance.now();
        const isEnd = page.model.kind !== model.kind;
        if (words === said.current.words) return;
        if (!isEnd && nowMs - said.current.atMs < announceMs) return;
        said.current = { words, atMs: nowMs };
        announce(words);
      } catch (error) {
        console.debug("the hub does not answer", error);
        setLost(true);
      }
    };
    const timer = setTimeout(() => void ask(), lost ? askAgainAfterErrorMs : everyMs);
    return () => {
      isLeft = true;
      clearTimeout(timer);
    };
    // Each answer is a new model and starts the next wait; a failure does so through `lost`.
  }, [model, lost]);
  return lost;
}
