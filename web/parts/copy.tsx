import { useEffect, useState } from "preact/hooks";
import { announce } from "./announce.ts";

const copiedShownMs = 2000;

/** Selectable text with a button that copies it. Without JavaScript the text remains. */
export function Copy(props: {
  readonly text: string;
  /** The name of the copied text, for the announcement and screen readers: "Link". */
  readonly what: string;
  /** One line with an ellipsis, for addresses; otherwise all of it is shown. */
  readonly line?: boolean;
}) {
  return (
    <div class={props.line ? "copy line" : "copy"}>
      <code class="outside" dir="ltr">
        {props.text}
      </code>
      <CopyButton text={props.text} what={props.what} />
    </div>
  );
}

/** Copies `text` and says "Copied" for two seconds, or what to do when the browser refuses. */
export function CopyButton(props: {
  readonly text: string;
  readonly what: string;
  readonly class?: string;
  readonly label?: string;
}) {
  const [said, setSaid] = useState<string | undefined>();
  useEffect(() => {
    if (said === undefined) return undefined;
    const timer = setTimeout(() => setSaid(undefined), copiedShownMs);
    return () => clearTimeout(timer);
  }, [said]);

  const copy = async (): Promise<void> => {
    const done = await copyText(props.text);
    setSaid(done ? "Copied" : "Ctrl+C");
    announce(done ? `${props.what} copied` : `Select the text and press Control C to copy it`);
  };
  return (
    <button
      type="button"
      class={`js-only ${props.class ?? ""}`}
      onClick={() => void copy()}
      aria-label={`Copy ${props.what}`}
    >
      {said ?? props.label ?? "Copy"}
    </button>
  );
}

async function copyText(text: string): Promise<boolean> {
  // Only a secure context has the clipboard API; a hub in a LAN is often reached by plain HTTP.
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      // Permission refused: the older way below needs none.
      console.debug("clipboard refused", error);
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  document.body.append(area);
  area.select();
  // oxlint-disable-next-line typescript/no-deprecated -- the only way outside a secure context
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
