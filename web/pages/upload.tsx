import { useEffect, useState } from "preact/hooks";
import type { Page, UploadPage } from "../../src/api/pages.ts";
import { fetchPage } from "../client/page-in-document.ts";
import { announce } from "../parts/announce.ts";
import { formatBytes, plural } from "../parts/format.ts";
import { Share } from "../parts/share.tsx";
import { Note, Outside, Size, When } from "../parts/words.tsx";

const askAgainMs = 3000;
const askAgainAfterErrorMs = 10_000;
/** A screen reader hears of progress this often at most. */
const announceMs = 10_000;

/** The torrent's page from the first second: what is coming, and how much of it is here. */
export function UploadView(props: {
  readonly model: UploadPage;
  readonly replace: (page: Page) => void;
}) {
  const { draft, mine, qr } = props.model;
  const lost = useFollowing(props.model, props.replace);
  const percent = draft.size === 0 ? 100 : Math.floor((draft.offset / draft.size) * 100);
  const failed = draft.state === "failed";
  return (
    <div class="stack">
      <div class="stack tight">
        <h1>
          <Outside text={draft.name} />
        </h1>
        <div class="meta">
          <span>{plural(draft.fileCount, "file")}</span>
          <Size bytes={draft.size} />
          <span>
            started <When at={draft.createdAt} />
          </span>
        </div>
      </div>
      <div class="two">
        <section class="card stack" aria-labelledby="coming-title">
          <h2 id="coming-title">{failed ? "The upload failed" : "On its way"}</h2>
          {lost && (
            <p class="paused" role="status">
              Live figures paused, trying again
            </p>
          )}
          {failed ? (
            <Note mood="bad" title={<Outside text={draft.problem ?? "It cannot be published."} />}>
              <p>What was uploaded is kept.</p>
            </Note>
          ) : (
            <div class={lost ? "stack tight stale" : "stack tight"}>
              <div class="row apart num">
                <strong>Uploading</strong>
                <span class="small">{percent} %</span>
              </div>
              <progress max={100} value={percent} aria-label="Upload" />
              <p class="small num">
                {formatBytes(draft.offset)} of {formatBytes(draft.size)} are here. The download
                opens on this page when the rest has arrived.
              </p>
            </div>
          )}
          {mine && (
            <div class="stack tight">
              <p class="small">
                {failed
                  ? "When the cause is gone, choose the same files again: nothing travels twice."
                  : "If the upload stopped, choose the same files again: it goes on where it was."}
              </p>
              <div class="row">
                <a class="btn" href={`/publish#${draft.id}`}>
                  {failed ? "Try again" : "Go on uploading"}
                </a>
              </div>
            </div>
          )}
        </section>
        <aside class="stack" aria-label="Share">
          <Share qr={qr} url={draft.pageUrl} />
        </aside>
      </div>
    </div>
  );
}

/** Asks for this page again until it becomes the torrent's. @returns True while the hub is silent. */
function useFollowing(model: UploadPage, replace: (page: Page) => void): boolean {
  const [lost, setLost] = useState(false);
  const [saidAt, setSaidAt] = useState(-Infinity);
  useEffect(() => {
    const ask = async (): Promise<void> => {
      try {
        const page = await fetchPage(location.href);
        setLost(false);
        replace(page);
        const now = performance.now();
        if (page.model.kind === "torrent") announce("The upload is complete");
        else if (page.model.kind === "upload" && now - saidAt >= announceMs) {
          setSaidAt(now);
          const { offset, size } = page.model.draft;
          announce(`${Math.floor((offset / Math.max(size, 1)) * 100)} percent uploaded`);
        }
      } catch (error) {
        console.debug("the hub does not answer", error);
        setLost(true);
      }
    };
    const timer = setTimeout(() => void ask(), lost ? askAgainAfterErrorMs : askAgainMs);
    return () => clearTimeout(timer);
    // Each answer is a new model and starts the next wait; a failure does by `lost`.
  }, [model, lost]);
  return lost;
}
