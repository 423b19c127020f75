import type { Page, TorrentPage } from "../../src/api/pages.ts";
import { plural } from "../parts/format.ts";
import { meansThisMachine } from "../parts/reach.ts";
import { RichTextView } from "../parts/rich-text.tsx";
import { Share } from "../parts/share.tsx";
import { Note, Outside, Size, When } from "../parts/words.tsx";
import { TorrentChange } from "./torrent-change.tsx";
import { TorrentDetails } from "./torrent-details.tsx";
import { TorrentFiles } from "./torrent-files.tsx";
import { TorrentHealth } from "./torrent-health.tsx";
import { TorrentPeers } from "./torrent-peers.tsx";
import { TakeHere, TakeWithProgram } from "./torrent-take.tsx";
import { NewerVersion } from "./torrent-versions.tsx";

const filesBesideMax = 20;

/** Answers three questions in this order: what is it, how do I get it, is it alive. */
export function TorrentView(props: {
  readonly model: TorrentPage;
  /** Path and query of this page. */
  readonly path: string;
  readonly replace: (page: Page) => void;
}) {
  const { model, path, replace } = props;
  const { torrent } = model;
  // With one file, the download button names it.
  const files = torrent.fileCount > 1 && (
    <TorrentFiles key="files" model={model} path={path} replace={replace} />
  );
  const aside = (
    <aside key="aside" class="stack" aria-label="Share and details">
      <Share qr={model.qr} url={torrent.pageUrl} />
      <TorrentDetails torrent={torrent} />
      {model.change !== null && <TorrentChange model={model} change={model.change} />}
    </aside>
  );
  // On a phone everything is in one column: a long list of files must not bury the rest.
  const isLong = torrent.files.length > filesBesideMax;
  return (
    <div class="stack">
      <div class="stack tight">
        <p class="small">
          <a href="/">Catalogue</a>
        </p>
        <h1>
          <Outside text={torrent.name} />
        </h1>
        <div class="meta">
          <span>{plural(torrent.fileCount, "file")}</span>
          <Size bytes={torrent.size} />
          <span>
            published <When at={torrent.publishedAt} /> by{" "}
            <Outside text={torrent.publishedBy} charactersMax={60} />
          </span>
          {torrent.private && <span>private: peers meet only through its trackers</span>}
        </div>
      </div>
      <NewerVersion versions={torrent.versions} />
      {model.fresh && <Published url={torrent.pageUrl} />}
      <TakeHere model={model} />
      <div class="two">
        <div class="stack">
          <TakeWithProgram torrent={torrent} />
          <TorrentHealth model={model} path={path} replace={replace} />
          {model.peers !== null && <TorrentPeers list={model.peers} />}
          {model.description.length > 0 && (
            <section class="card" aria-labelledby="about-title">
              <h2 id="about-title">Description</h2>
              <RichTextView blocks={model.description} />
            </section>
          )}
        </div>
        {isLong ? [aside, files] : [files, aside]}
      </div>
    </div>
  );
}

function Published({ url }: { readonly url: string }) {
  return (
    <Note mood="good" title="Published" alert>
      <p>
        {meansThisMachine(url)
          ? "This hub gives it to everyone who reaches it from now on. So far the link works on this machine only: see Share. This page can be closed."
          : "This hub gives it to everyone from now on. Share the link below; this page can be closed."}
      </p>
    </Note>
  );
}
