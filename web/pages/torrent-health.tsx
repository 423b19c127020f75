import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Page, PieceStrip, TorrentPage } from "../../src/api/pages.ts";
import { torrentLivePath } from "../../src/api/paths.ts";
import type { SwarmFigures, TorrentDetail } from "../../src/api/torrents.ts";
import { useLive } from "../client/live.ts";
import { fetchPage } from "../client/page-in-document.ts";
import { formatCount, formatPieceSize, formatSpeed, plural } from "../parts/format.ts";
import { dhtWords, judgeHealth, othersWithAll } from "../parts/health.ts";
import { Note, When } from "../parts/words.tsx";

/** Longer than the hub caches a page for strangers, so that the next one is newer. */
const refetchMs = 1500;

/** The copies of a torrent: in words, in figures, and piece by piece. */
export function TorrentHealth(props: {
  readonly model: TorrentPage;
  readonly path: string;
  readonly replace: (page: Page) => void;
}) {
  const { torrent, pieces } = props.model;
  const live = useLive<SwarmFigures>(torrentLivePath(torrent.id), "figures", torrent.swarm);
  const swarm = live.value;
  const health = judgeHealth(swarm);
  const others = othersWithAll(swarm);
  const inDht = dhtWords(swarm);
  useNewPageAfterDamage(swarm.fault !== torrent.swarm.fault, props.path, props.replace);
  return (
    <section class="card stack" aria-labelledby="health-title">
      <h2 id="health-title">Health</h2>
      {live.paused && (
        <p class="paused" role="status">
          Live figures paused, trying again
        </p>
      )}
      <Note mood={health.mood} title={health.title}>
        <p>
          {health.sentence}
          {swarm.fault === null ? (
            <>
              {" "}
              Every byte was checked <When at={torrent.checkedAt} />.
            </>
          ) : (
            torrent.fileCount > 1 && <> {wholeFiles(torrent)}</>
          )}
        </p>
        {health.remedy !== null && <p>{health.remedy}</p>}
      </Note>
      <dl class={live.paused ? "figures stale" : "figures"}>
        <Figure name={others === 1 ? "other has all of it" : "others have all of it"}>
          {formatCount(others)}
        </Figure>
        <Figure name={swarm.leechers === 1 ? "is taking it now" : "are taking it now"}>
          {formatCount(swarm.leechers)}
        </Figure>
        <Figure name={swarm.completed === 1 ? "has taken it" : "have taken it"}>
          {formatCount(swarm.completed)}
        </Figure>
        <Figure name="going out now">{formatSpeed(swarm.uploadBytesPerSecond)}</Figure>
      </dl>
      {inDht !== undefined && swarm.dht !== null && (
        <p class="small">
          {inDht} Counted <When at={swarm.dht.countedAt} />. The DHT does not know who has taken it.
        </p>
      )}
      {torrent.pieceCount > 0 && <Pieces torrent={torrent} strip={pieces} />}
    </section>
  );
}

function wholeFiles({ wholeFileCount, fileCount }: TorrentDetail): string {
  return wholeFileCount === 0
    ? "None of its files can be downloaded here."
    : `${formatCount(wholeFileCount)} of ${plural(fileCount, "file")} can still be downloaded here.`;
}

function Figure(props: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

const stripHeight = 30;
/** The top of a cell for a missing piece: it is shorter, so that it differs in more than colour. */
const lackingTop = 20;
const faintest = 0.4;

/** Neighbouring cells that look alike. */
interface Run {
  readonly from: number;
  readonly length: number;
  readonly copies: number;
  readonly lacking: boolean;
}

/** All pieces side by side: a stronger colour means more copies; a short cell is missing here. */
function Pieces(props: { readonly torrent: TorrentDetail; readonly strip: PieceStrip }) {
  const { torrent, strip } = props;
  const most = Math.max(1, ...strip.copies);
  return (
    <figure class="stack tight">
      <svg
        class="pieces"
        viewBox={`0 0 ${strip.copies.length} ${stripHeight}`}
        preserveAspectRatio="none"
        shape-rendering="crispEdges"
        role="img"
        aria-labelledby="pieces-words"
      >
        {runsOf(strip).map(({ from, length, copies, lacking }) => {
          const top = lacking ? lackingTop : 0;
          return (
            <rect
              key={from}
              class={lacking ? "lacking" : undefined}
              x={from}
              y={top}
              width={length}
              height={stripHeight - top}
              opacity={lacking ? 1 : faintest + (1 - faintest) * (copies / most)}
            />
          );
        })}
      </svg>
      <figcaption id="pieces-words" class="small num">
        {pieceWords(torrent, strip)}
      </figcaption>
    </figure>
  );
}

function runsOf(strip: PieceStrip): Run[] {
  const lackingCells = new Set(strip.lacking);
  const runs: Run[] = [];
  for (const [cell, copies] of strip.copies.entries()) {
    const lacking = lackingCells.has(cell);
    const last = runs.at(-1);
    if (last !== undefined && last.copies === copies && last.lacking === lacking) {
      runs[runs.length - 1] = { ...last, length: last.length + 1 };
    } else runs.push({ from: cell, length: 1, copies, lacking });
  }
  return runs;
}

function pieceWords(torrent: TorrentDetail, strip: PieceStrip): string {
  const all = `${plural(torrent.pieceCount, "piece")} of ${formatPieceSize(torrent.pieceSize)}`;
  const rarest = Math.min(...strip.copies);
  const copies =
    rarest === 0
      ? "of the rarest nobody here has a copy"
      : `the rarest has ${plural(rarest, "copy", "copies")}`;
  if (strip.missing === 0) return `${all}; ${copies}.`;
  const verb = strip.missing === 1 ? "is" : "are";
  return `${all}; ${formatCount(strip.missing)} ${verb} missing here, ${copies}.`;
}

/** Damage and repairs change what can be downloaded, so the page is requested again. */
function useNewPageAfterDamage(
  changed: boolean,
  path: string,
  replace: (page: Page) => void,
): void {
  useEffect(() => {
    if (!changed) return undefined;
    const timer = setTimeout(() => {
      fetchPage(path).then(replace, (error: unknown) => {
        // The stream of figures shows when the hub is away; the next change asks again.
        console.debug("could not fetch the page anew", error);
      });
    }, refetchMs);
    return () => clearTimeout(timer);
  }, [changed, path]);
}
