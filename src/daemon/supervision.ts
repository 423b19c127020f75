import type { ServiceNotice } from "../platform/service-notice.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";

/** The service manager that started the program. */
export interface Supervision {
  /** The program answers. */
  ready(words: string): void;
  /** The program has begun to end. */
  stopping(): void;
}

/**
 * Speaks to systemd, when it started the program and wants to know (`Type=notify`). While the thread moves, its watchdog is
 * fed in half the time that it allows; when the thread hangs, systemd kills and restarts the program.
 *
 * @returns `undefined` when nobody wants to know.
 */
export async function openSupervision(
  env: Readonly<Record<string, string | undefined>>,
  { clock, log, pid }: { readonly clock: Clock; readonly log: Log; readonly pid: number },
): Promise<Supervision | undefined> {
  const path = env["NOTIFY_SOCKET"];
  if (path === undefined || !/^[/@]./.test(path)) return undefined;
  let send: ServiceNotice;
  try {
    const { openServiceNotice } = await import("../platform/service-notice.ts");
    send = openServiceNotice(path);
  } catch (error) {
    log.error("the service manager cannot be told how this program is", { why: String(error) });
    return undefined;
  }
  const periodMs = watchdogMs(env, pid) / 2;
  let timer: Timer | undefined;
  const feed = (): void => {
    send("WATCHDOG=1");
    timer = clock.startTimer(periodMs, feed);
  };
  return {
    ready(words) {
      send(`READY=1\nSTATUS=${words.replaceAll("\n", " ")}`);
      if (Number.isFinite(periodMs)) feed();
    },
    stopping() {
      timer?.cancel();
      send("STOPPING=1");
    },
  };
}

/** Whether a service manager watches over this process; then it restarts it, and not we. */
export function isSupervised(env: Readonly<Record<string, string | undefined>>): boolean {
  return Boolean(env["NOTIFY_SOCKET"]);
}

/** @returns Infinity without a watchdog, or with one for another process. */
function watchdogMs(env: Readonly<Record<string, string | undefined>>, pid: number): number {
  const microseconds = Number(env["WATCHDOG_USEC"]);
  const isOurs = env["WATCHDOG_PID"] === undefined || env["WATCHDOG_PID"] === String(pid);
  return isOurs && microseconds > 0 ? microseconds / 1_000 : Number.POSITIVE_INFINITY;
}
