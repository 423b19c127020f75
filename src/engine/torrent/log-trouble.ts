import type { Log } from "../../ports/log.ts";
import { type Phase, shownState } from "./torrent-state.ts";

/** A new phase in which its owner has something to do, or the disk. */
export function logTrouble(log: Log, phase: Phase<unknown, unknown>): void {
  if (phase.kind === "running" && phase.disk !== "well") {
    log.error("the disk refused", { path: phase.disk.path, code: phase.disk.code });
  }
  const state = shownState(phase);
  if (state.kind === "broken") log.error("the torrent is broken", { message: state.message });
}
