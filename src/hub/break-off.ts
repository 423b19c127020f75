import type { RequestContext } from "../ports/web.ts";

/**
 * Ends an answer that cannot be finished. It closes the connection, so that nobody takes the part for the whole.
 * Without a connection, the reader of the stream receives the cause.
 */
export function breakOff(
  controller: ReadableStreamDefaultController,
  { cut }: Pick<RequestContext, "cut">,
  cause: unknown,
): void {
  if (!cut) return controller.error(cause);
  cut();
  controller.close();
}
