import { useEffect, useState } from "preact/hooks";
import { TRANSFERS_PAGE_PATH } from "../../src/api/paths.ts";

/** Makes this site the program for magnet links, where the browser allows sites to be one. */
export function MagnetHandler() {
  const [isPossible, setPossible] = useState(false);
  const [isAsked, setAsked] = useState(false);
  useEffect(
    () => setPossible(window.isSecureContext && "registerProtocolHandler" in navigator),
    [],
  );
  if (!isPossible) return null;
  if (isAsked) return <span>The browser asks you about magnet links.</span>;
  return (
    <button
      type="button"
      class="link"
      onClick={() => {
        navigator.registerProtocolHandler(
          "magnet",
          `${location.origin}${TRANSFERS_PAGE_PATH}?add=%s`,
        );
        setAsked(true);
      }}
    >
      Open magnet links with this site
    </button>
  );
}
