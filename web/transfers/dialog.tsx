import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** A modal dialog that is there as long as it is rendered. The focus goes back to where it was. */
export function Dialog(props: {
  readonly title: ComponentChildren;
  readonly wide?: boolean;
  /** It was closed, by a button or by Escape. */
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={props.wide === true ? "wide" : undefined}
      aria-labelledby="dialog-title"
      onClose={props.onClose}
    >
      <div class="stack">
        <h2 id="dialog-title">{props.title}</h2>
        {props.children}
      </div>
    </dialog>
  );
}
