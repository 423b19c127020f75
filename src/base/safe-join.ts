import { EverseedError } from "./errors.ts";

/** A path from outside would lead out of its folder, or to no file at all. */
export class UnsafePathError extends EverseedError {
  readonly code = "unsafe-path";
}

/**
 * Joins components below `root` (house rule 6). Pure: looks at no disk and follows no link.
 *
 * @param root - Absolute folder; one that does not begin with a slash is of Windows, where a backslash divides.
 * @throws {UnsafePathError} When a component is empty, `.`, `..`, or holds what divides or ends a path.
 */
export function safeJoin(root: string, components: readonly string[]): string {
  if (components.length === 0) throw new UnsafePathError("the path is empty");
  const dividers = root.startsWith("/") ? /[/\0]/ : /[/\\\0]/;
  for (const component of components) {
    const isName = component !== "" && component !== "." && component !== "..";
    if (!isName || dividers.test(component)) throw new UnsafePathError(JSON.stringify(component));
  }
  return `${root}${root.endsWith("/") ? "" : "/"}${components.join("/")}`;
}
