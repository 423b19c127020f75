import { useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";

/** A button for an action that cannot be undone: its dialog names what would be lost. */
export function AskFirst(props: {
  /** The text on the button. */
  readonly word: string;
  /** For screen readers, when several buttons have the same text. */
  readonly label?: string;
  readonly question: ComponentChildren;
  readonly children: ComponentChildren;
  readonly keep: string;
  readonly goAhead: string;
  readonly onGoAhead: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button
        type="button"
        class="btn quiet"
        aria-label={props.label}
        onClick={() => dialog.current?.showModal()}
      >
        {props.word}
      </button>
      <dialog ref={dialog} aria-label={props.goAhead}>
        <form method="dialog" class="stack">
          <h2>{props.question}</h2>
          <p>{props.children}</p>
          <div class="row">
            <button class="btn main" autofocus>
              {props.keep}
            </button>
            <button class="btn" onClick={props.onGoAhead}>
              {props.goAhead}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
