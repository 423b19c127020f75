import type { ComponentChildren } from "preact";
import type { Page, TorrentPage } from "../../src/api/pages.ts";
import { torrentLivePath } from "../../src/api/paths.ts";
import type { SwarmFigures, TorrentDetail } from "../../src/api/torrents.ts";
import { useLive } from "../client/live.ts";
import { Copy } from "../parts/copy.tsx";
import {
  formatCount,
  formatPieceSize,
  formatSpeed,
  plural,
  visibleLines,
} from "../parts/format.ts";
import { judgeHealth } from "../parts/health.ts";
import { DownloadIcon, FileIcon, MagnetIcon } from "../parts/icons.tsx";
import { Share } from "../parts/share.tsx";
import { Note, Outside, Size, When } from "../parts/words.tsx";
import { TorrentFiles } from "./torrent-files.tsx";

const filesBesideMax = 20;

/** What is it, is it alive, how do I get it: in this order. */
export function TorrentView(props: {
  readonly model: TorrentPage;
  /** Path and query of this page. */
  readonly path: string;
  readonly replace: (page: Page) => void;
}) {
  const { model } = props;
  const { torrent } = model;
  const files = (
    <TorrentFiles key="files" model={model} path={props.path} replace={props.replace} />
  );
  const aside = (
    <aside key="aside" class="stack" aria-label="Share and details">
      <Share qr={model.qr} url={torrent.pageUrl} magnet={torrent.magnet} />
      <Details torrent={torrent} />
      <CommandLine torrent={torrent} />
    </aside>
  );
  // On a phone everything is one column: a long list of files must not bury the rest.
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
      {model.fresh && (
        <Note mood="good" title="Published" alert>
          <p>The everseed serves it from now on. Share the link below; this page can be closed.</p>
        </Note>
      )}
      <WaysToGetIt torrent={torrent} />
      <div class="two">
        <div class="stack">
          <HealthCard torrent={torrent} />
          {torrent.comment !== null && torrent.comment !== "" && (
            <section class="card" aria-labelledby="about-title">
              <h2 id="about-title">Description</h2>
              <p class="text">
                <bdi>{visibleLines(torrent.comment)}</bdi>
              </p>
            </section>
          )}
        </div>
        {isLong ? [aside, files] : [files, aside]}
      </div>
    </div>
  );
}

function WaysToGetIt(props: { readonly torrent: TorrentDetail }) {
  const { torrent } = props;
  const only = torrent.fileCount === 1 ? torrent.files[0] : undefined;
  return (
    <div class="row cta">
      <a class="btn main" href={torrent.magnet}>
        <MagnetIcon /> Open magnet link
      </a>
      <a class="btn" href={torrent.torrentUrl} download>
        <FileIcon /> .torrent
      </a>
      {only === undefined ? (
        <a class="btn" href="#files-title">
          <DownloadIcon /> Download files
        </a>
      ) : (
        <a class="btn" href={only.downloadPath} download>
          <DownloadIcon /> Download here
        </a>
      )}
    </div>
  );
}

function HealthCard(props: { readonly torrent: TorrentDetail }) {
  const { torrent } = props;
  const live = useLive<SwarmFigures>(torrentLivePath(torrent.id), "figures", torrent.swarm);
  const swarm = live.value;
  const health = judgeHealth(swarm);
  return (
    <section class="card stack" aria-labelledby="health-title">
      <h2 id="health-title">Health</h2>
      {live.paused && (
        <p class="paused" role="status">
          Live figures paused, trying again
        </p>
      )}
      <Note mood={health.mood} title={health.word}>
        <p>
          {health.sentence}{" "}
          {swarm.fault === null && (
            <>
              Every byte was checked <When at={torrent.checkedAt} />.
            </>
          )}
        </p>
      </Note>
      <dl class={live.paused ? "figures stale" : "figures"}>
        <Figure name={swarm.seeds === 1 ? "seed" : "seeds"}>{formatCount(swarm.seeds)}</Figure>
        <Figure name="downloading">{formatCount(swarm.leechers)}</Figure>
        <Figure name="completed">{formatCount(swarm.completed)}</Figure>
        <Figure name="going out now">{formatSpeed(swarm.uploadBytesPerSecond)}</Figure>
        <Figure name="sent since start">
          <Size bytes={swarm.uploaded} />
        </Figure>
      </dl>
    </section>
  );
}

function Figure(props: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

const kindWords = { v1: "v1", v2: "v2", hybrid: "hybrid, v1 and v2" } as const;

function Details(props: { readonly torrent: TorrentDetail }) {
  const { torrent } = props;
  return (
    <section class="card" aria-labelledby="details-title">
      <h2 id="details-title">Details</h2>
      <dl class="facts">
        <dt>Kind</dt>
        <dd>{kindWords[torrent.kind]}</dd>
        <dt>Pieces</dt>
        <dd>
          {formatCount(torrent.pieceCount)} of {formatPieceSize(torrent.pieceSize)}
        </dd>
        {torrent.createdBy !== null && (
          <>
            <dt>Made by</dt>
            <dd>
              <Outside text={torrent.createdBy} charactersMax={80} />
            </dd>
          </>
        )}
        {torrent.infohashV1 !== null && <Infohash version="v1" value={torrent.infohashV1} />}
        {torrent.infohashV2 !== null && <Infohash version="v2" value={torrent.infohashV2} />}
        <dt class="whole">{torrent.trackers.length === 1 ? "Tracker" : "Trackers"}</dt>
        <dd class="whole">
          {torrent.trackers.length === 0 ? (
            "none"
          ) : (
            <ul>
              {torrent.trackers.map((tracker) => (
                <li key={tracker} class="outside mono">
                  <Outside text={tracker} />
                </li>
              ))}
            </ul>
          )}
        </dd>
      </dl>
    </section>
  );
}

function Infohash(props: { readonly version: string; readonly value: string }) {
  return (
    <>
      <dt class="whole">Infohash {props.version}</dt>
      <dd class="whole">
        <Copy text={props.value} what={`infohash ${props.version}`} />
      </dd>
    </>
  );
}

function CommandLine(props: { readonly torrent: TorrentDetail }) {
  const { torrent } = props;
  const only = torrent.fileCount === 1 ? torrent.files[0] : undefined;
  return (
    <section class="card stack close" aria-labelledby="command-title">
      <h2 id="command-title">On the command line</h2>
      <Copy text={`everseed get ${torrent.torrentUrl}`} what="everseed command" />
      {/* aria2 1.36 loses the empty keys of a v2 file tree, and then asks for another infohash. */}
      {torrent.kind === "v1" && (
        <Copy text={`aria2c ${torrent.torrentUrl}`} what="aria2c command" />
      )}
      {only !== undefined && (
        <Copy
          text={`curl -O '${shellSafe(new URL(only.downloadPath, torrent.pageUrl).href)}'`}
          what="curl command"
        />
      )}
    </section>
  );
}

/** An address between single quotes of a shell: the one character that would end them. */
function shellSafe(address: string): string {
  return address.replaceAll("'", "%27");
}
