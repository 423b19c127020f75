import { systemCode } from "../base/system-code.ts";
import { diskTrouble } from "./command-error.ts";
import { fileChanged } from "./input-files.ts";

/** Describes why content could not be hashed. @returns Any other error unchanged. */
export function measureTrouble(error: unknown): unknown {
  const code = systemCode(error);
  const path = error instanceof Error && "path" in error ? String(error.path) : undefined;
  if (code === undefined || path === undefined) return error;
  return code === "changed" ? fileChanged(path) : diskTrouble(error, `read ${path}`, path);
}
