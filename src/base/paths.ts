/** Paths of this machine as text, divided by slashes. Nothing here accesses a disk. */

/** @returns The last name of a path; empty for the root. */
export function nameOf(path: string): string {
  const plain = withoutSlashes(path);
  return plain.slice(plain.lastIndexOf("/") + 1);
}

/** @returns The folder that contains the path; `.` for a bare name, the root for the root. */
export function folderOf(path: string): string {
  const plain = withoutSlashes(path);
  const at = plain.lastIndexOf("/");
  if (at === -1) return plain === "" && path !== "" ? "/" : ".";
  return withoutSlashes(plain.slice(0, at)) || "/";
}

/** @param names - Plain names. Names from outside must go through `safeJoin`. */
export function joinPath(folder: string, ...names: readonly string[]): string {
  if (folder === "") return names.join("/");
  return `${folder}${folder.endsWith("/") ? "" : "/"}${names.join("/")}`;
}

function withoutSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end -= 1;
  return path.slice(0, end);
}
