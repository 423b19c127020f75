import { useEffect } from "preact/hooks";
import type { CataloguePage, PageFrame } from "../../src/api/pages.ts";
import type { TorrentList, TorrentSummary } from "../../src/api/torrents.ts";
import { torrentPagePath } from "../../src/api/paths.ts";
import { plural, visible } from "../parts/format.ts";
import { judgeHealth } from "../parts/health.ts";
import { LeafIcon, MagnetIcon } from "../parts/icons.tsx";
import { PageLinks } from "../parts/page-links.tsx";
import { SearchForm } from "../parts/search.tsx";
import { Outside, Size, State, When } from "../parts/words.tsx";

const rowNameCharactersMax = 140;

/** The published torrents, newest first. Search and page are in the address. */
export function CatalogueView(props: { readonly model: CataloguePage; readonly frame: PageFrame }) {
  const { list } = props.model;
  const searching = list.query !== "";
  useFocusOnDesktop();
  return (
    <div class="stack">
      <h1>{searching ? "Search" : "Catalogue"}</h1>
      {(searching || list.total > 0) && (
        <SearchForm
          query={list.query}
          label={`Search ${plural(props.frame.totals?.torrents ?? 0, "torrent")}`}
        />
      )}
      {list.torrents.length === 0 ? (
        <Nothing query={list.query} mayPublish={props.frame.mayPublish} />
      ) : (
        <>
          <div class="row apart small">
            <p class="num">
              {searching ? (
                <>
                  {list.similar ? "Nothing" : results(list)} for “
                  <Outside text={list.query} charactersMax={80} />”
                  {list.similar && `, but ${results(list)} for words spelled like it`}.{" "}
                  <a href="/">Show all</a>
                </>
              ) : (
                plural(list.total, "torrent")
              )}
            </p>
            <p>Newest first</p>
          </div>
          <ul class="list">
            {list.torrents.map((torrent) => (
              <Row key={torrent.id} torrent={torrent} />
            ))}
          </ul>
          <PageLinks
            page={list.page}
            pages={list.pages}
            label="Pages of the catalogue"
            href={(page) => pageAddress(list.query, page)}
          />
        </>
      )}
    </div>
  );
}

function Row(props: { readonly torrent: TorrentSummary }) {
  const { torrent } = props;
  const health = judgeHealth(torrent.swarm);
  return (
    <li>
      <a class="name" href={torrentPagePath(torrent.id, torrent.name)}>
        <Outside text={torrent.name} charactersMax={rowNameCharactersMax} />
      </a>
      <div class="meta">
        <Size bytes={torrent.size} />
        <span>
          <When at={torrent.publishedAt} />
        </span>
        <span>{plural(torrent.swarm.seeds, "seed")}</span>
        <span>{torrent.swarm.leechers} downloading</span>
        {torrent.private && <span>private</span>}
      </div>
      <div class="end">
        <State mood={health.mood}>{health.word}</State>
        <a
          class="btn icon"
          href={torrent.magnet}
          title="Magnet link"
          aria-label={`Magnet link of ${visible(torrent.name)}`}
        >
          <MagnetIcon />
        </a>
      </div>
    </li>
  );
}

function Nothing(props: { readonly query: string; readonly mayPublish: boolean }) {
  if (props.query !== "") {
    return (
      <div class="empty">
        <h2>
          Nothing for “<Outside text={props.query} charactersMax={80} />”
        </h2>
        <p>Try fewer or shorter words: the beginning of a word is enough.</p>
        <div class="row">
          <a class="btn" href="/">
            Show all
          </a>
          {props.mayPublish && (
            <a class="btn quiet" href="/publish">
              Publish the first one
            </a>
          )}
        </div>
      </div>
    );
  }
  return (
    <div class="empty">
      <LeafIcon />
      <h2>Nothing is published here yet</h2>
      <p>
        What you publish gets a link that any BitTorrent program and any browser can open, and this
        hub keeps it alive.
      </p>
      {props.mayPublish ? (
        <a class="btn main" href="/publish">
          Publish something
        </a>
      ) : (
        <a class="btn" href="/login?next=%2Fpublish">
          Sign in to publish
        </a>
      )}
    </div>
  );
}

function results({ total, more }: TorrentList): string {
  return more ? `more than ${plural(total, "result")}` : plural(total, "result");
}

function pageAddress(query: string, page: number): string {
  const parameters = new URLSearchParams();
  if (query !== "") parameters.set("q", query);
  if (page > 1) parameters.set("page", String(page));
  const text = parameters.toString();
  return `${query === "" ? "/" : "/search"}${text === "" ? "" : `?${text}`}`;
}

/** Focuses the search field where no on-screen keyboard would pop up. */
function useFocusOnDesktop(): void {
  useEffect(() => {
    const hasKeyboard = matchMedia("(hover: hover) and (min-width: 48rem)").matches;
    // Going back keeps the scroll position; a fragment asks for another place.
    if (!hasKeyboard || scrollY > 0 || document.activeElement !== document.body) return;
    document
      .querySelector<HTMLInputElement>("main input[type=search]")
      ?.focus({ preventScroll: true });
  }, []);
}
