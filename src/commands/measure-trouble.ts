import { systemCode } from "../base/system-code.ts";
import { diskTrouble } from "./command-error.ts";
import { fileChanged } from "./input-files.ts";

/** Puts into words why content could not be hashed. @returns What is no refusal of the disk as it is. */
export function measureTrouble(error: unknown): unknown {
  const code = systemCode(error);
  const path = error instanceof Error && "path" in error ? String(error.path) : undefined;
  if (code === undefined || path === undefined) return error;
  return code === "changed" ? fileChanged(path) : diskTrouble(error, `read ${path}`, path);
}
