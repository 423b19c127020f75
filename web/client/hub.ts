import type { Problem } from "../../src/api/problem.ts";

/** The hub said no, in words that can be shown. */
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
 * Asks the hub's API.
 *
 * @param body - Sent as JSON when given.
 * @returns The parsed answer; its shape is the contract of the path in `src/api/`.
 * @throws {HubRefusal} When the hub answers with a problem.
 * @throws {TypeError} When it cannot be reached.
 */
export async function askHub<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new HubRefusal(response.status, parseProblem(text, response.status));
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** @returns The problem in an answer, or words for a bare status, as a proxy may send it. */
export function parseProblem(text: string, status: number): Problem["error"] {
  try {
    const { error } = JSON.parse(text) as Partial<Problem>;
    if (error !== undefined && typeof error.message === "string") return error;
  } catch {
    // Not ours, or a HEAD without a body: the status has to do.
  }
  return { code: "internal", message: `The hub answered with status ${status}.` };
}
