import { useEffect, useRef } from "preact/hooks";
import type { PageFrame } from "../../src/api/pages.ts";
import { TRANSFERS_PAGE_PATH } from "../../src/api/paths.ts";

/** Two keys in a row count as one command within this time. */
const sequenceMs = 1200;

/** Keyboard shortcuts for the existing pages, listed on `?`. */
export function Shortcuts(props: {
  readonly frame: Pick<PageFrame, "mayPublish" | "mayTransfer" | "totals">;
}) {
  const { mayPublish, mayTransfer, totals } = props.frame;
  const ready = totals !== null;
  const list = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!ready) return undefined;
    let lastG = -Infinity;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape") leaveSearch(event.target);
      if (isTyping(event.target)) return;
      const afterG = event.timeStamp - lastG < sequenceMs;
      lastG = event.key === "g" ? event.timeStamp : -Infinity;
      if (event.key === "?") list.current?.showModal();
      else if (event.key === "/") goToSearch(event);
      else if (event.key === "j") moveInList(1);
      else if (event.key === "k") moveInList(-1);
      else if (afterG && event.key === "c") location.assign("/");
      else if (afterG && event.key === "a") location.assign("/account");
      else if (afterG && event.key === "p" && mayPublish) location.assign("/publish");
      else if (afterG && event.key === "t" && mayTransfer) location.assign(TRANSFERS_PAGE_PATH);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [mayPublish, mayTransfer, ready]);
  if (!ready) return null;

  return (
    <>
      <button
        type="button"
        class="btn quiet js-only small"
        onClick={() => list.current?.showModal()}
      >
        Keys
      </button>
      <dialog ref={list} aria-labelledby="keys-title">
        <form method="dialog" class="stack">
          <h2 id="keys-title">Keys</h2>
          <dl class="facts">
            <dt>
              <kbd>/</kbd>
            </dt>
            <dd>Search</dd>
            <dt>
              <kbd>g</kbd> <kbd>c</kbd>
            </dt>
            <dd>Catalogue</dd>
            {mayPublish && (
              <>
                <dt>
                  <kbd>g</kbd> <kbd>p</kbd>
                </dt>
                <dd>Publish</dd>
              </>
            )}
            {mayTransfer && (
              <>
                <dt>
                  <kbd>g</kbd> <kbd>t</kbd>
                </dt>
                <dd>Transfers</dd>
              </>
            )}
            <dt>
              <kbd>g</kbd> <kbd>a</kbd>
            </dt>
            <dd>Account</dd>
            <dt>
              <kbd>j</kbd> <kbd>k</kbd>
            </dt>
            <dd>Next and previous torrent of a list</dd>
            <dt>
              <kbd>Enter</kbd>
            </dt>
            <dd>Open it</dd>
            {mayTransfer && (
              <>
                <dt>
                  <kbd>x</kbd>
                </dt>
                <dd>Select a transfer</dd>
                <dt>
                  <kbd>Space</kbd>
                </dt>
                <dd>Pause or resume it</dd>
                <dt>
                  <kbd>Del</kbd>
                </dt>
                <dd>Remove it, after a question</dd>
                <dt>
                  <kbd>Alt</kbd> <kbd>↑</kbd> <kbd>↓</kbd>
                </dt>
                <dd>Move it in the queue</dd>
              </>
            )}
            <dt>
              <kbd>?</kbd>
            </dt>
            <dd>This list</dd>
            <dt>
              <kbd>Esc</kbd>
            </dt>
            <dd>Close this list, leave the search</dd>
          </dl>
          <button class="btn">Close</button>
        </form>
      </dialog>
    </>
  );
}

/** A closing dialog returns the focus some moments later. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.matches(
    "input:not([type=radio], [type=checkbox]), select, textarea, dialog[open] *",
  );
}

function goToSearch(event: KeyboardEvent): void {
  event.preventDefault();
  const field = document.querySelector<HTMLInputElement>("input[type=search]");
  if (field === null) location.assign("/");
  else field.focus();
}

/** The search has the focus when the catalogue opens; this makes the other shortcuts work again. */
function leaveSearch(target: EventTarget | null): void {
  if (target instanceof HTMLInputElement && target.type === "search") target.blur();
}

function moveInList(step: 1 | -1): void {
  const names = [...document.querySelectorAll<HTMLElement>("main :is(.list, .ledger) a.name")];
  const row = document.activeElement?.closest("li, tr");
  const at = names.findIndex((name) => name.closest("li, tr") === row);
  const next = names[at === -1 ? 0 : at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
