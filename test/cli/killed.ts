import { readFileSync } from "node:fs";

/** Kills a process. The system takes a killed process off its list a moment later. */
export async function killed(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  for (;;) {
    const stat = (() => {
      try {
        return readFileSync(`/proc/${pid}/stat`, "utf8");
      } catch {
        return ") Z";
      }
    })();
    if (stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z")) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
