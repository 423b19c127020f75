import type { Problem } from "../../src/api/problem.ts";

/** The hub refused, with words that can be shown. */
export class HubRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(status: number, problem: Problem["error"]) {
    super(problem.message);
    this.name = "HubRefusal";
    this.status = status;
    this.code = problem.code;
    this.hint = problem.hint;
  }
}

/**
 * Calls the hub's API.
 *
 * @param body - Sent as JSON when given; a blob as it is, with its type.
 * @returns The parsed answer; its shape is the contract of the path in `src/api/`.
 * @param options.keepalive - The request goes on when the page is left; its body may have 64 KiB then.
 * @throws {HubRefusal} When the hub answers with a problem.
 * @throws {TypeError} When the hub cannot be reached.
 */
export async function askHub<T>(
  method: string,
  path: string,
  body?: unknown,
  { keepalive = false }: { readonly keepalive?: boolean } = {},
): Promise<T> {
  const response = await fetch(path, { method, keepalive, ...contentOf(body) });
  const text = await response.text();
  if (!response.ok) throw new HubRefusal(response.status, parseProblem(text, response.status));
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

function contentOf(body: unknown): Pick<RequestInit, "headers" | "body"> {
  if (body === undefined) return {};
  if (body instanceof Blob) return { headers: { "content-type": body.type }, body };
  return { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

/** @returns The problem in an answer, or words for a bare status, for instance from a proxy. */
export function parseProblem(text: string, status: number): Problem["error"] {
  try {
    const { error } = JSON.parse(text) as Partial<Problem>;
    if (error !== undefined && typeof error.message === "string") return error;
  } catch {
    // Not our format, or a HEAD without a body: only the status is left.
  }
  return { code: "internal", message: `The hub answered with status ${status}.` };
}

/** An error for the person: what happened, and what to do. */
export interface Trouble {
  readonly message: string;
  readonly hint: string | null;
}

/** @returns The words for any error that `askHub` throws. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof HubRefusal) {
    const hint = error.status === 401 ? "Sign in in another tab, then try again." : null;
    return { message: error.message, hint: error.hint ?? hint };
  }
  console.debug("the hub could not be asked", error);
  return {
    message: "The hub does not answer",
    hint: "Check the network and whether the hub is running, then try again. Nothing is lost.",
  };
}
