import { RefusedError } from "./problems.ts";

/** Limit for small JSON bodies and forms; declarations of many files may be larger, see their route. */
export const SMALL_BODY_BYTES = 64 * 1024;
/** A description of 10,000 characters, escaped. */
const FORM_BYTES_MAX = 128 * 1024;

const forms = new WeakMap<Request, Promise<ReadonlyMap<string, string>>>();

/**
 * Reads an urlencoded form, and refuses it as soon as it is too long (HUB-8). It may be called twice: the form's
 * token is checked before its route runs.
 *
 * @throws {RefusedError} When the body is anything else.
 */
export function readForm(request: Request): Promise<ReadonlyMap<string, string>> {
  const known = forms.get(request);
  if (known) return known;
  const reading = readFormOnce(request);
  forms.set(request, reading);
  return reading;
}

async function readFormOnce(request: Request): Promise<ReadonlyMap<string, string>> {
  const type = request.headers.get("content-type") ?? "";
  if (!type.startsWith("application/x-www-form-urlencoded")) throw badBody("This takes a form.");
  let text = "";
  let bytes = 0;
  const decoder = new TextDecoder();
  const body: AsyncIterable<Uint8Array> | undefined = request.body ?? undefined;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > FORM_BYTES_MAX) throw bodyTooLong(FORM_BYTES_MAX);
    text += decoder.decode(chunk, { stream: true });
  }
  return new Map(new URLSearchParams(text + decoder.decode()));
}

/**
 * The text of a JSON body. The caller has limited its length.
 *
 * @throws {RefusedError} When the body claims another type.
 */
export async function jsonText(request: Request): Promise<string> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/([a-z-.]+\+)?json\b/.test(type)) throw badBody("This takes JSON.");
  return request.text();
}

export function bodyTooLong(bytesMax: number): RefusedError {
  return new RefusedError({
    status: 413,
    code: "too_large",
    message: `The body may have ${bytesMax} bytes at most.`,
  });
}

/** The connection ended first: nobody reads the answer, and it is not our fault. */
export function bodyCut(): RefusedError {
  return badBody("The request ended before its body did.");
}

export function badBody(message: string): RefusedError {
  return new RefusedError({ status: 400, code: "bad_request", message });
}
