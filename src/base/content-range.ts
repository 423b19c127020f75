/**
 * Reads `Content-Range: bytes 0-99/1000` (RFC 9110 14.4).
 *
 * @returns Both ends included, and the length of the whole where it is known; `undefined` when it is anything else.
 */
export function parseContentRange(
  text: string | undefined,
):
  | { readonly first: number; readonly last: number; readonly total: number | undefined }
  | undefined {
  const match = /^\s*bytes\s+([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15}|\*)\s*$/i.exec(text ?? "");
  if (!match) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2]);
  const total = match[3] === "*" ? undefined : Number(match[3]);
  return last < first || (total !== undefined && last >= total)
    ? undefined
    : { first, last, total };
}
