const announcerId = "announcer";

/** Where polite announcements are put; rendered once, at the end of the page. */
export const announcerProps = {
  id: announcerId,
  class: "unseen",
  role: "status",
  "aria-live": "polite",
} as const;

/** Says `text` to a screen reader when it has nothing more urgent. */
export function announce(text: string): void {
  const announcer = document.getElementById(announcerId);
  if (announcer === null) return;
  // The same words twice are only read again when something changed: a no-break space does not sound.
  announcer.textContent = announcer.textContent === text ? `${text}\u00a0` : text;
}
