import { systemCode } from "../base/system-code.ts";
import { storeErrorCode } from "../store/store-error.ts";

/** Whether an error of the database or of a file means that the disk is full. */
export function isDiskFull(error: unknown): boolean {
  return storeErrorCode(error) === "disk-full" || systemCode(error) === "ENOSPC";
}
