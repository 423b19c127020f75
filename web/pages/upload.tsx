import type { Page, PageModel, UploadPage } from "../../src/api/pages.ts";
import { useFollowing } from "../client/following.ts";
import { formatBytes, plural } from "../parts/format.ts";
import { Share } from "../parts/share.tsx";
import { Note, Outside, Size, When } from "../parts/words.tsx";

const askAgainMs = 3000;

/** The torrent's page during its upload: what is coming, and how much has arrived. */
export function UploadView(props: {
  readonly model: UploadPage;
  readonly replace: (page: Page) => void;
}) {
  const { draft, mine, qr } = props.model;
  const lost = useFollowing(props.model, props.replace, {
    everyMs: askAgainMs,
    say: spoken,
  });
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

function spoken(model: PageModel): string {
  if (model.kind !== "upload") return "The upload is complete";
  const { offset, size } = model.draft;
  return `${Math.floor((offset / Math.max(size, 1)) * 100)} percent uploaded`;
}
