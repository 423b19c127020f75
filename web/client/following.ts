import { useEffect, useRef, useState } from "preact/hooks";
import type { Page, PageModel } from "../../src/api/pages.ts";
import { announce } from "../parts/announce.ts";
import { fetchPage } from "./page-in-document.ts";

const askAgainAfterErrorMs = 10_000;
/** A screen reader hears of progress this often at most. */
const announceMs = 10_000;

/**
 * Asks for this page again and again, for as long as its view is shown; what comes may be another page.
 *
 * @param everyMs - Between an answer and the next question.
 * @param say - What a screen reader hears of a new model.
 * @returns True while the hub is silent.
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
        // It was sent on, to where the torrent is.
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
    // Each answer is a new model and starts the next wait; a failure does by `lost`.
  }, [model, lost]);
  return lost;
}
