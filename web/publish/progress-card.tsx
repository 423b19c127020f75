import { useEffect, useRef } from "preact/hooks";
import type { DeclaredDraft } from "../../src/api/drafts.ts";
import { announce } from "../parts/announce.ts";
import { AskFirst } from "../parts/ask-first.tsx";
import { Copy } from "../parts/copy.tsx";
import {
  formatBytes,
  formatDuration,
  formatPieceSize,
  formatSpeed,
  plural,
} from "../parts/format.ts";
import { Note, Outside, Size } from "../parts/words.tsx";
import type { RunProgress } from "./upload-run.ts";

/** Progress is announced to a screen reader at most this often. */
const announceMs = 10_000;

/** The progress of the upload, what holds it up, and its link. */
export function ProgressCard(props: {
  readonly draft: DeclaredDraft;
  readonly progress: RunProgress;
  readonly onPause: () => void;
  readonly onResume: () => void;
  readonly onGiveUp: () => void;
  readonly onChooseAgain: () => void;
}) {
  const { draft, progress } = props;
  const { state } = progress;
  const percent = percentOf(progress);
  useSpokenProgress(progress);
  const moving = state.kind === "sending" || state.kind === "finishing";
  return (
    <div class="stack">
      <div class="stack tight">
        <h1>
          <Outside text={draft.name} />
        </h1>
        <div class="meta">
          <span>{plural(draft.fileCount, "file")}</span>
          <Size bytes={draft.size} />
          <span>pieces of {formatPieceSize(draft.pieceSize)}</span>
        </div>
      </div>
      {draft.resumed && draft.offset > 0 && (
        <Note
          mood="good"
          title={`Found again: ${formatBytes(draft.offset)} were here already, it goes on from there`}
        />
      )}
      <Renamed renamed={draft.renamed} />
      <section class={moving ? "card stack" : "card stack held"} aria-labelledby="upload-title">
        <div class="stack tight">
          <div class="row apart">
            <h2 id="upload-title">{stateWords(progress)}</h2>
            <span class="num small">{figures(progress)}</span>
          </div>
          <progress max={100} value={percent} aria-label="Upload" />
          <p class="small num">
            {formatBytes(progress.safe)} of {formatBytes(progress.total)} are safe on the hub.
            Pieces are hashed as they arrive.
          </p>
        </div>
        <Trouble progress={progress} onChooseAgain={props.onChooseAgain} />
        <div class="stack tight">
          <Copy line text={draft.pageUrl} what="link" />
          <p class="small">
            The link works already; it says “on its way” until the upload ends. Title and
            description can be changed there as soon as it is published.
          </p>
        </div>
        <div class="row">
          {(state.kind === "sending" || state.kind === "waiting") && (
            <button type="button" class="btn" onClick={props.onPause}>
              Pause
            </button>
          )}
          {(state.kind === "paused" || state.kind === "held") && (
            <button type="button" class="btn main" onClick={props.onResume}>
              Resume
            </button>
          )}
          {state.kind !== "finishing" && (
            <AskFirst
              word="Cancel"
              question={
                <>
                  Cancel the upload of “<Outside text={draft.name} charactersMax={80} />
                  ”?
                </>
              }
              keep="Keep uploading"
              goAhead="Cancel the upload"
              onGoAhead={props.onGiveUp}
            >
              The hub throws away what has arrived so far, and the link stops working.
            </AskFirst>
          )}
        </div>
      </section>
    </div>
  );
}

function Trouble(props: { readonly progress: RunProgress; readonly onChooseAgain: () => void }) {
  const { state } = props.progress;
  if (state.kind === "waiting") {
    return (
      <Note
        mood="warn"
        title={state.cause === "offline" ? "This computer is offline" : "The hub does not answer"}
      >
        <p>The upload goes on by itself as soon as it can. Nothing is lost.</p>
      </Note>
    );
  }
  if (state.kind === "held") {
    return (
      <Note mood="bad" title={state.message} alert>
        {state.hint !== null && <p>{state.hint}</p>}
      </Note>
    );
  }
  if (state.kind === "lost") {
    return (
      <Note mood="bad" title={state.message} alert>
        <p>
          Choose the files again: what has not changed does not travel twice where the hub still has
          it.
        </p>
        <div class="row">
          <button type="button" class="btn main" onClick={props.onChooseAgain}>
            Choose the files again
          </button>
        </div>
      </Note>
    );
  }
  return null;
}

function Renamed(props: { readonly renamed: DeclaredDraft["renamed"] }) {
  const { renamed } = props;
  if (renamed.length === 0) return null;
  return (
    <details>
      <summary>
        {plural(renamed.length, "name")} changed, so that every system can store them
      </summary>
      <ul class="files chosen">
        {renamed.slice(0, 100).map(({ from, to }) => (
          <li key={from}>
            <span>
              <Outside text={from} /> → <Outside text={to} />
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function stateWords(progress: RunProgress): string {
  switch (progress.state.kind) {
    case "sending":
      return "Uploading";
    case "finishing":
      return "All sent, the hub makes the torrent";
    case "paused":
      return "Paused";
    case "waiting":
      return "Waiting";
    case "held":
    case "lost":
      return "Stopped";
    case "published":
      return "Published";
  }
}

/** @returns `37 % · 41.2 MiB/s · 36 s left`. */
function figures(progress: RunProgress): string {
  const speed = progress.bytesPerSecond;
  const parts = [`${percentOf(progress)} %`];
  if (speed !== undefined) parts.push(formatSpeed(speed));
  if (speed !== undefined && speed > 0) {
    parts.push(`${formatDuration((progress.total - progress.sent) / speed)} left`);
  }
  return parts.join(" · ");
}

export function percentOf(progress: RunProgress): number {
  if (progress.total === 0) return 100;
  return Math.floor((progress.sent / progress.total) * 100);
}

function useSpokenProgress(progress: RunProgress): void {
  const last = useRef({ atMs: -Infinity, state: "" });
  useEffect(() => {
    const nowMs = performance.now();
    const state = stateWords(progress);
    const isNews = state !== last.current.state;
    if (!isNews && nowMs - last.current.atMs < announceMs) return;
    last.current = { atMs: nowMs, state };
    announce(`${state}, ${figures(progress).replaceAll(" · ", ", ")}`);
  }, [progress]);
}
