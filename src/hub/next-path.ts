/**
 * Where to go after signing in: a path on this site, or the Publish page (HUB-23). Browsers read `\` as `/` and skip
 * tabs and newlines, so anything but plain characters is refused.
 */
export function safeNext(next: string | null | undefined): string {
  return next && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(next) ? next : "/publish";
}
