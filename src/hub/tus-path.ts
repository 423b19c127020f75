/** @returns The draft's id in `/api/v1/drafts/ID/content`. */
export function draftIdOf(path: string): string | undefined {
  return /^\/api\/v1\/drafts\/([0-9a-z]{1,32})\/content$/.exec(path)?.[1];
}
