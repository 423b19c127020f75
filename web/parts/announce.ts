const announcerId = "announcer";

/** The place of polite announcements; rendered once, at the end of the page. */
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
  // Repeated words are only read again when the text changes, so a silent no-break space is appended.
  announcer.textContent = announcer.textContent === text ? `${text}\u00a0` : text;
}
