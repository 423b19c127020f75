import { Upload, type DetailedError } from "tus-js-client";
import type { DeclaredDraft, Draft } from "../../src/api/drafts.ts";
import { draftPath } from "../../src/api/paths.ts";
import { askHub, HubRefusal, parseProblem } from "../client/hub.ts";
import { SpeedMeter } from "./speed.ts";

/** The state of an upload, with the reason when it is not running. */
export type RunState =
  | { readonly kind: "sending" }
  /** Every byte is sent; the hub makes the torrent. */
  | { readonly kind: "finishing" }
  | { readonly kind: "paused" }
  /** It continues by itself. */
  | { readonly kind: "waiting"; readonly cause: "offline" | "hub" }
  /** It continues when the person has followed the message and presses Resume. */
  | { readonly kind: "held"; readonly message: string; readonly hint: string | null }
  /** The hub does not know this upload any more, or a file changed: the files must be chosen again. */
  | { readonly kind: "lost"; readonly message: string }
  | { readonly kind: "published"; readonly draft: Draft };

export interface RunProgress {
  readonly state: RunState;
  /** Bytes sent or being sent. */
  readonly sent: number;
  /** Bytes that the hub has confirmed. */
  readonly safe: number;
  readonly total: number;
  readonly bytesPerSecond: number | undefined;
}

/**
 * After each chunk the hub confirms its offset. A chunk should take about `chunkSeconds`, so that a slow line shows
 * confirmed progress often, and a fast one does not wait for answers.
 */
const chunkSeconds = 2;
const chunkBytesMin = 4 * 1024 * 1024;
const chunkBytesMax = 64 * 1024 * 1024;
/** The speed is updated this often even when nothing is sent. */
const tickMs = 1000;
/** More frequent redraws are of no use. */
const reportMs = 250;
const retryMsMin = 1000;
const retryMsMax = 10_000;

/** Sends the files of one draft, through pauses, lost networks and restarts of the hub. */
export class UploadRun {
  readonly #draft: DeclaredDraft;
  /** In the order that the hub wants. */
  readonly #files: readonly File[];
  readonly #upload: Upload;
  readonly #onProgress: (progress: RunProgress) => void;
  readonly #speed = new SpeedMeter();
  #state: RunState = { kind: "sending" };
  #sent: number;
  #safe: number;
  /** The next progress is the hub's confirmed offset, not our count of sent bytes. */
  #isAsking = true;
  #reportedAtMs = -Infinity;
  #retryMs = retryMsMin;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;

  /**
   * @param files - The files as declared, in the order declared.
   * @param onProgress - Called a few times a second, and at every change of state.
   */
  constructor(
    draft: DeclaredDraft,
    files: readonly File[],
    onProgress: (progress: RunProgress) => void,
  ) {
    this.#draft = draft;
    this.#onProgress = onProgress;
    this.#sent = draft.offset;
    this.#safe = draft.offset;
    // One blob of references to the files: nothing is read until it is sent.
    this.#files = draft.order.flatMap((index) => files[index] ?? []);
    this.#upload = new Upload(new Blob([...this.#files]), {
      uploadUrl: draft.uploadPath,
      chunkSize: chunkBytesMin,
      // We do the waiting ourselves: it must end when the network is back, and never give up.
      retryDelays: null,
      storeFingerprintForResuming: false,
      onProgress: (sent) => this.#handleProgress(sent),
      onChunkComplete: (_, safe) => this.#handleSafe(safe),
      onSuccess: () => void this.#handleSuccess(),
      onError: (error) => void this.#handleError(error),
    });
  }

  start(): void {
    if (this.#state.kind === "published") return;
    addEventListener("online", this.#goOn);
    this.#ticker = setInterval(() => this.#tick(), tickMs);
    this.#goOn();
  }

  /** Aborts what is being sent; the hub keeps what arrived. */
  async pause(): Promise<void> {
    this.#stopWaiting();
    this.#change({ kind: "paused" });
    await this.#upload.abort();
  }

  resume(): void {
    this.#goOn();
  }

  /** Ends it early: the content is already here, and the rest need not be sent. */
  async end(draft: Draft): Promise<void> {
    this.close();
    this.#change({ kind: "published", draft });
    await this.#upload.abort();
  }

  /** Cancels it: the hub deletes what it has. */
  async giveUp(): Promise<void> {
    this.close();
    await this.#upload.abort();
    await askHub("DELETE", draftPath(this.#draft.id));
  }

  /** Stops listening; the hub keeps what it has. */
  close(): void {
    this.#stopWaiting();
    clearInterval(this.#ticker);
    removeEventListener("online", this.#goOn);
  }

  readonly #goOn = (): void => {
    if (this.#state.kind === "published" || this.#state.kind === "finishing") return;
    this.#stopWaiting();
    this.#speed.reset();
    this.#isAsking = true;
    this.#change({ kind: "sending" });
    this.#upload.start();
  };

  #handleProgress(sent: number): void {
    if (this.#state.kind !== "sending") return;
    if (this.#isAsking) this.#safe = sent;
    this.#isAsking = false;
    this.#sent = sent;
    this.#speed.push(performance.now(), sent);
    if (sent > this.#safe) this.#retryMs = retryMsMin;
    if (sent >= this.#draft.size) this.#change({ kind: "finishing" });
    else if (performance.now() - this.#reportedAtMs >= reportMs) this.#report();
  }

  #tick(): void {
    if (this.#state.kind !== "sending" || this.#isAsking) return;
    this.#speed.push(performance.now(), this.#sent);
    this.#report();
  }

  #handleSafe(safe: number): void {
    this.#safe = safe;
    this.#sent = Math.max(this.#sent, safe);
    const wanted = (this.#speed.bytesPerSecond() ?? 0) * chunkSeconds;
    this.#upload.options.chunkSize = Math.floor(
      Math.min(Math.max(wanted, chunkBytesMin), chunkBytesMax),
    );
    if (this.#state.kind === "sending") this.#report();
  }

  async #handleSuccess(): Promise<void> {
    this.#safe = this.#draft.size;
    this.#sent = this.#draft.size;
    try {
      const draft = await askHub<Draft>("GET", draftPath(this.#draft.id));
      if (draft.state === "published") this.#change({ kind: "published", draft });
      else if (draft.state === "failed") {
        this.#change({ kind: "lost", message: draft.problem ?? "The hub could not publish it." });
      } else this.#wait("hub");
    } catch (error) {
      if (error instanceof HubRefusal) this.#change(held(error.message, error.hint));
      else this.#wait("hub");
    }
    if (this.#state.kind === "published" || this.#state.kind === "lost") this.close();
  }

  async #handleError(error: Error | DetailedError): Promise<void> {
    if (this.#state.kind === "paused" || this.#state.kind === "published") return;
    const response = "originalResponse" in error ? error.originalResponse : null;
    if (response === null) {
      const unreadable = await this.#findUnreadable();
      if (unreadable !== undefined) {
        const message = `“${unreadable}” changed or vanished while it was read.`;
        this.#change({ kind: "lost", message });
      } else this.#wait(navigator.onLine ? "hub" : "offline");
      return;
    }
    const status = response.getStatus();
    const problem = parseProblem(response.getBody(), status);
    if (status === 404 || status === 410) {
      this.#change({ kind: "lost", message: "The hub does not know this upload any more." });
    } else if (status === 401 || status === 403) {
      const hint = "Sign in again in another tab, then press Resume here.";
      this.#change(held("You are not signed in any more.", hint));
    } else if (status === 507 || status === 413 || (status >= 400 && status < 409)) {
      this.#change(held(problem.message, problem.hint));
    } else this.#wait("hub");
  }

  /**
   * A lost network and an unreadable file look the same to the request, so reading a byte of each file in it tells
   * them apart.
   */
  async #findUnreadable(): Promise<string | undefined> {
    let start = 0;
    for (const file of this.#files) {
      const end = start + file.size;
      if (start >= this.#safe + chunkBytesMax) break;
      if (end > this.#safe && !(await isReadable(file))) return file.name;
      start = end;
    }
    return undefined;
  }

  #wait(cause: "offline" | "hub"): void {
    this.#stopWaiting();
    this.#retryTimer = setTimeout(this.#goOn, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax);
    this.#change({ kind: "waiting", cause });
  }

  #stopWaiting(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
  }

  #change(state: RunState): void {
    this.#state = state;
    this.#report();
  }

  #report(): void {
    this.#reportedAtMs = performance.now();
    this.#onProgress({
      state: this.#state,
      sent: this.#sent,
      safe: this.#safe,
      total: this.#draft.size,
      bytesPerSecond: this.#state.kind === "sending" ? this.#speed.bytesPerSecond() : undefined,
    });
  }
}

function held(message: string, hint: string | undefined): RunState {
  return { kind: "held", message, hint: hint ?? null };
}

async function isReadable(file: File): Promise<boolean> {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    // Whatever the reason, it cannot be sent as declared.
    return false;
  }
}
