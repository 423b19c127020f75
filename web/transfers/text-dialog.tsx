import { useState } from "preact/hooks";
import { Dialog } from "./dialog.tsx";

/** Asks for one line of text. */
export function TextDialog(props: {
  readonly title: string;
  readonly label: string;
  readonly help: string;
  readonly value: string;
  readonly choices: readonly string[];
  readonly word: string;
  readonly required?: boolean;
  /** @returns Whether it was taken. */
  readonly onText: (text: string) => Promise<boolean>;
  readonly onClose: () => void;
}) {
  const { choices, onText, onClose } = props;
  const [text, setText] = useState(props.value);
  const [busy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    setBusy(true);
    const isTaken = await onText(text.trim());
    setBusy(false);
    if (isTaken) onClose();
  };
  return (
    <Dialog title={props.title} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void save();
        }}
      >
        <div class="field">
          <label for="asked-text">{props.label}</label>
          <input
            id="asked-text"
            list="asked-choices"
            value={text}
            required={props.required}
            autofocus
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <datalist id="asked-choices">
            {choices.map((choice) => (
              <option key={choice} value={choice} />
            ))}
          </datalist>
          <small>{props.help}</small>
        </div>
        <div class="row">
          <button class="btn main" disabled={busy}>
            {props.word}
          </button>
          <button type="button" class="btn quiet" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
