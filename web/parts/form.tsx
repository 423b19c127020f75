import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { FormProblem } from "../../src/api/form-problem.ts";
import { formatDuration } from "./format.ts";
import { Note } from "./words.tsx";

/** Why the form came back, with a countdown of the wait. It receives the focus, so that it is read first. */
export function Problem(props: { readonly problem: FormProblem | null }) {
  const { problem } = props;
  const place = useRef<HTMLDivElement>(null);
  const [left, setLeft] = useState(problem?.waitSeconds ?? 0);
  useEffect(() => place.current?.focus(), []);
  useEffect(() => {
    if (left <= 0) return undefined;
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  if (problem === null) return null;
  return (
    <div tabIndex={-1} ref={place}>
      <Note mood="bad" title={problem.message} alert id="problem">
        {problem.hint !== null && <p>{problem.hint}</p>}
        {problem.waitSeconds !== null && (
          <p class="num">
            {left > 0 ? `Try again in ${formatDuration(left)}.` : "You can try again now."}
          </p>
        )}
      </Note>
    </div>
  );
}

interface FieldProps {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly help?: ComponentChildren;
  readonly problem?: FormProblem | null;
  readonly children?: ComponentChildren;
  readonly autocomplete: "username" | "current-password" | "new-password" | "off";
  readonly required?: boolean;
  readonly autoFocus?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
}

const asText = { type: "text" } as const;
const asPassword = { type: "password" } as const;
/** Names and keys are not prose: no automatic capital, no spell checking. */
const verbatim = { autocapitalize: "none", spellcheck: false } as const;

/** A labelled text field with help below; marked when the problem concerns it. */
export function Field(
  props: FieldProps & {
    readonly defaultValue?: string;
    /** Set when the parent holds the text; `onText` then receives every change. */
    readonly value?: string;
    readonly onText?: (text: string) => void;
    /** A person's prose, in any direction; otherwise a name or key, taken literally. */
    readonly prose?: boolean;
  },
) {
  const { label, help, problem, children, onText, prose, ...input } = props;
  const wrong = isWrong(problem, input.name);
  return (
    <div class="field">
      <label for={input.id}>{label}</label>
      <input
        {...input}
        {...(prose ? { dir: "auto" } : verbatim)}
        aria-invalid={wrong}
        aria-describedby={ids(help !== undefined && `${input.id}-help`, wrong && "problem")}
        onInput={(event) => onText?.(event.currentTarget.value)}
      />
      {help !== undefined && <small id={`${input.id}-help`}>{help}</small>}
      {children}
    </div>
  );
}

/** A password with Show, and a word when caps lock is on. */
export function PasswordField(props: FieldProps & { readonly onText?: (text: string) => void }) {
  const { label, help, problem, children, onText, ...input } = props;
  const [shown, setShown] = useState(false);
  const [capsLock, setCapsLock] = useState(false);
  const wrong = isWrong(problem, input.name);
  const noticeCaps = (event: KeyboardEvent): void =>
    setCapsLock(event.getModifierState("CapsLock"));
  return (
    <div class="field">
      <label for={input.id}>{label}</label>
      <div class="with-button">
        <input
          {...input}
          {...verbatim}
          {...(shown ? asText : asPassword)}
          aria-invalid={wrong}
          aria-describedby={ids(
            help !== undefined && `${input.id}-help`,
            wrong && "problem",
            `${input.id}-caps`,
          )}
          onInput={(event) => onText?.(event.currentTarget.value)}
          onKeyDown={noticeCaps}
          onKeyUp={noticeCaps}
          onBlur={() => setCapsLock(false)}
        />
        <button
          type="button"
          class="btn js-only"
          aria-pressed={shown}
          aria-label={`Show ${label.toLowerCase()}`}
          onClick={() => setShown(!shown)}
        >
          {shown ? "Hide" : "Show"}
        </button>
      </div>
      {help !== undefined && <small id={`${input.id}-help`}>{help}</small>}
      <small id={`${input.id}-caps`} role="status">
        {capsLock ? "Caps lock is on." : ""}
      </small>
      {children}
    </div>
  );
}

function isWrong(problem: FormProblem | null | undefined, name: string): "true" | undefined {
  return problem?.field === name ? "true" : undefined;
}

/** @returns The existing ids, in the format of `aria-describedby`. */
function ids(...all: readonly (string | false | undefined)[]): string | undefined {
  const present = all.filter((id) => id !== false && id !== undefined);
  return present.length === 0 ? undefined : present.join(" ");
}
