import { EverseedError } from "./errors.ts";

/** A path from outside would leave its folder, or names no file at all. */
export class UnsafePathError extends EverseedError {
  readonly code = "unsafe-path";
}

/**
 * Joins components below `root` (house rule 6). Pure: it accesses no disk and follows no link.
 *
 * @param root - Absolute folder. One that does not begin with a slash is a Windows path, where a backslash is a
 *   separator.
 * @throws {UnsafePathError} When a component is empty, `.` or `..`, or contains a separator or a zero byte.
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
