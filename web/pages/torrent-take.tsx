import type { TorrentPage } from "../../src/api/pages.ts";
import type { TorrentDetail, TorrentFileEntry } from "../../src/api/torrents.ts";
import { sortOfFile } from "../parts/file-sort.ts";
import { formatBytes, formatCount, plural } from "../parts/format.ts";
import { othersWithAll } from "../parts/health.ts";
import { DownloadIcon, FileIcon, MagnetIcon } from "../parts/icons.tsx";
import { Outside } from "../parts/words.tsx";

/** The purpose of most visits: the files, with just a browser. */
export function TakeHere(props: { readonly model: TorrentPage }) {
  const { torrent, zipPath } = props.model;
  const only = torrent.fileCount === 1 ? torrent.files[0] : undefined;
  if (torrent.wholeFileCount === 0) {
    return <p class="small">It cannot be downloaded here at the moment: see Health below.</p>;
  }
  if (only !== undefined) return <TakeFile file={only} />;
  return zipPath === null ? (
    <ChooseFiles torrent={torrent} />
  ) : (
    <TakeAll torrent={torrent} zipPath={zipPath} />
  );
}

function TakeAll(props: { readonly torrent: TorrentDetail; readonly zipPath: string }) {
  const { torrent, zipPath } = props;
  return (
    <div class="take">
      <a class="btn main big" href={zipPath} download>
        <DownloadIcon /> Download <span>{formatBytes(torrent.size)}</span>
      </a>
      <p class="small">
        All {plural(torrent.fileCount, "file")} in one .zip. Nothing to install.
        <br />
        Only some of them? Choose <a href="#files-title">below</a>.
      </p>
    </div>
  );
}

function ChooseFiles(props: { readonly torrent: TorrentDetail }) {
  const { torrent } = props;
  return (
    <div class="take">
      <a class="btn main big" href="#files-title">
        <DownloadIcon /> Choose files
      </a>
      <p class="small">
        {torrent.wholeFileCount === torrent.fileCount
          ? `${plural(torrent.fileCount, "file")}, ${formatBytes(torrent.size)}, each on its own.`
          : `${formatCount(torrent.wholeFileCount)} of ${plural(torrent.fileCount, "file")} can be downloaded here, each on its own.`}
        <br />
        Nothing to install.
      </p>
    </div>
  );
}

function TakeFile(props: { readonly file: TorrentFileEntry }) {
  const { file } = props;
  const sort = sortOfFile(file.path);
  return (
    <div class="take">
      <a class="btn main big" href={file.downloadPath} download>
        <DownloadIcon /> Download <span>{formatBytes(file.size)}</span>
      </a>
      <p class="small">
        “<Outside text={file.path} charactersMax={60} />”{sort !== undefined && `, ${sort}`}.
        Nothing to install.
        <br />A download that breaks off goes on where it stopped.
      </p>
    </div>
  );
}

/** The other way, in one sentence. */
export function TakeWithProgram(props: { readonly torrent: TorrentDetail }) {
  const { torrent } = props;
  // The primary button of the page is the way that works.
  const isMain = torrent.wholeFileCount === 0 && othersWithAll(torrent.swarm) > 0;
  return (
    <section class="card stack close" aria-labelledby="program-title">
      <h2 id="program-title">With a BitTorrent program</h2>
      <p>
        Faster when many people take it, and it goes on after a break.{" "}
        <a href="/help">How it works</a>
      </p>
      <div class="row fill cta">
        <a class={isMain ? "btn main" : "btn"} href={torrent.magnet}>
          <MagnetIcon /> Open in your program
        </a>
        <a class="btn" href={torrent.torrentUrl} download>
          <FileIcon /> Save the .torrent
        </a>
      </div>
    </section>
  );
}
