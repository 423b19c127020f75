import { type ComponentChildren, createContext } from "preact";
import { useContext } from "preact/hooks";
import { FORM_TOKEN_FIELD } from "../../src/api/pages.ts";

/** The token of this page's forms, from its frame. */
export const FormToken = createContext("");

/** A form that changes something: it carries the token that another site cannot know. */
export function PostForm(props: {
  readonly action: string;
  readonly class?: string;
  /** Where a script does it without leaving the page. */
  readonly onSubmit?: (event: SubmitEvent) => void;
  readonly children?: ComponentChildren;
}) {
  const token = useContext(FormToken);
  return (
    <form method="post" action={props.action} class={props.class} onSubmit={props.onSubmit}>
      <input type="hidden" name={FORM_TOKEN_FIELD} value={token} />
      {props.children}
    </form>
  );
}
