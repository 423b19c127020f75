/** The operating system's code of a failure (`ENOENT`); `undefined` when the failure carries none. */
export function systemCode(failure: unknown): string | undefined {
  if (typeof failure !== "object" || failure === null || !("code" in failure)) return undefined;
  return typeof failure.code === "string" ? failure.code : undefined;
}
