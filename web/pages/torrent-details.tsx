import type { TorrentDetail } from "../../src/api/torrents.ts";
import { Copy } from "../parts/copy.tsx";
import { formatCount, formatPieceSize } from "../parts/format.ts";
import { Outside } from "../parts/words.tsx";
import { VersionLinks } from "./torrent-versions.tsx";

const kindWords = {
  v1: "v1, every program reads it",
  v2: "v2, only new programs read it",
  hybrid: "v1 and v2, older programs may not read it",
} as const;

/** Details for programs and their users; most of it is collapsed. */
export function TorrentDetails(props: { readonly torrent: TorrentDetail }) {
  const { torrent } = props;
  const only = torrent.fileCount === 1 ? torrent.files[0] : undefined;
  return (
    <section class="card stack close" aria-labelledby="details-title">
      <h2 id="details-title">Details</h2>
      <dl class="facts">
        <dt>Kind</dt>
        <dd>{kindWords[torrent.kind]}</dd>
        <dt>Pieces</dt>
        <dd>
          {formatCount(torrent.pieceCount)} of {formatPieceSize(torrent.pieceSize)}
        </dd>
        <dt>{torrent.trackers.length === 1 ? "Tracker" : "Trackers"}</dt>
        <dd>{trackerWords(torrent)}</dd>
      </dl>
      <Copy line text={torrent.magnet} what="magnet link" />
      <Copy line text={`everseed get ${torrent.pageUrl}`} what="everseed command" />
      <VersionLinks versions={torrent.versions} />
      <details>
        <summary>For programs</summary>
        <div class="stack close">
          {torrent.infohashV1 !== null && <Infohash version="v1" value={torrent.infohashV1} />}
          {torrent.infohashV2 !== null && <Infohash version="v2" value={torrent.infohashV2} />}
          {torrent.trackers.length > 0 && (
            <div>
              <h3 class="small">{torrent.trackers.length === 1 ? "Tracker" : "Trackers"}</h3>
              <ul>
                {torrent.trackers.map((tracker) => (
                  <li key={tracker} class="outside mono">
                    <Outside text={tracker} />
                  </li>
                ))}
              </ul>
            </div>
          )}
          {/* aria2 1.36 loses the empty keys of a v2 file tree, and then asks for another infohash. */}
          {torrent.kind === "v1" && (
            <Copy text={`aria2c ${torrent.torrentUrl}`} what="aria2c command" />
          )}
          {only?.whole && (
            <Copy
              text={`curl -O '${shellSafe(new URL(only.downloadPath, torrent.pageUrl).href)}'`}
              what="curl command"
            />
          )}
          {torrent.createdBy !== null && (
            <p class="small">
              Made by <Outside text={torrent.createdBy} charactersMax={80} />
            </p>
          )}
        </div>
      </details>
    </section>
  );
}

function Infohash(props: { readonly version: string; readonly value: string }) {
  return (
    <div>
      <h3 class="small">Infohash {props.version}</h3>
      <Copy text={props.value} what={`infohash ${props.version}`} />
    </div>
  );
}

/** The hub itself tracks most torrents, which is all that most people want to know. */
function trackerWords({ trackers, pageUrl }: TorrentDetail): string {
  if (trackers.length === 0) return "none";
  const here = hostOf(pageUrl);
  const elsewhere = trackers.filter((tracker) => hostOf(tracker) !== here);
  if (elsewhere.length === 0) return "this hub";
  const others = `${formatCount(elsewhere.length)} ${elsewhere.length === 1 ? "other" : "others"}`;
  return elsewhere.length === trackers.length ? others : `this hub and ${others}`;
}

function hostOf(address: string): string | undefined {
  return /^[a-z]+:\/\/(\[[^\]]*\]|[^/:?#]*)/i.exec(address)?.[1]?.toLowerCase();
}

/** An address between the single quotes of a shell: escapes the one character that would end them. */
function shellSafe(address: string): string {
  return address.replaceAll("'", "%27");
}
