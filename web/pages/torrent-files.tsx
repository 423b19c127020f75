import { useRef, useState } from "preact/hooks";
import type { Page, TorrentPage } from "../../src/api/pages.ts";
import { fetchPage } from "../client/page-in-document.ts";
import { announce } from "../parts/announce.ts";
import { plural } from "../parts/format.ts";
import { PageLinks } from "../parts/page-links.tsx";
import { Outside } from "../parts/words.tsx";
import { FileChoice, type Ticked } from "./file-choice.tsx";
import { FileTree } from "./file-tree.tsx";

/** The number of files from which a search is offered. */
const searchableFrom = 20;

/**
 * The files of a torrent, a page at a time. Search and page are in the address, so both work without JavaScript; with
 * it, only the list changes and the rest of the page stays.
 */
export function TorrentFiles(props: {
  readonly model: TorrentPage;
  readonly path: string;
  readonly replace: (page: Page) => void;
}) {
  const { torrent, fileList } = props.model;
  const field = useRef<HTMLInputElement>(null);
  const [failed, setFailed] = useState(false);
  const [ticked, setTicked] = useState<Ticked | undefined>();
  const here = props.path.split("?", 1)[0] ?? "";

  const visit = async (event: Event, query: string, page: number): Promise<void> => {
    if (event instanceof MouseEvent && (event.ctrlKey || event.metaKey || event.shiftKey)) return;
    event.preventDefault();
    const address = filesAddress(here, query, page);
    try {
      const fresh = await fetchPage(address);
      history.replaceState(null, "", address);
      setFailed(false);
      props.replace(fresh);
      if (fresh.model.kind === "torrent") announce(plural(fresh.model.fileList.total, "file"));
      document.getElementById("files-title")?.scrollIntoView();
    } catch (error) {
      console.debug("could not fetch the files", error);
      setFailed(true);
    }
  };

  const searchable = torrent.fileCount > searchableFrom;
  return (
    <section class="card stack" aria-labelledby="files-title">
      <div class="row apart">
        <h2 id="files-title">Files</h2>
        <p class="small num">
          {fileList.query !== ""
            ? `${fileList.total} of ${plural(torrent.fileCount, "file")}`
            : torrent.fileCount === 1
              ? "1 file"
              : `${plural(torrent.fileCount, "file")}, each on its own`}
        </p>
      </div>
      {searchable && (
        <form
          class="search"
          role="search"
          method="get"
          action={here}
          onSubmit={(event) => void visit(event, field.current?.value.trim() ?? "", 1)}
        >
          <input
            ref={field}
            type="search"
            name="q"
            aria-label="Search the files"
            placeholder="Part of a name"
            defaultValue={fileList.query}
            maxLength={200}
          />
          <button class="btn">Search</button>
        </form>
      )}
      {failed && (
        <p class="paused" role="alert">
          The hub did not answer. Try again.
        </p>
      )}
      {torrent.files.length === 0 ? (
        <p>
          No file matches “<Outside text={fileList.query} charactersMax={80} />
          ”.{" "}
          <a href={here} onClick={(event) => void visit(event, "", 1)}>
            Show all
          </a>
        </p>
      ) : (
        <FileChoice
          zipPath={props.model.zipPath}
          files={torrent.files}
          ticked={ticked}
          onTicked={setTicked}
        >
          {/* A long list scrolls by itself, so that what stands below it is not buried. */}
          <div
            class={searchable ? "files long" : "files"}
            tabIndex={searchable ? 0 : undefined}
            role={searchable ? "group" : undefined}
            aria-labelledby={searchable ? "files-title" : undefined}
          >
            <FileTree
              files={torrent.files}
              folders={fileList.folders}
              canChoose={props.model.zipPath !== null}
            />
          </div>
        </FileChoice>
      )}
      <PageLinks
        page={fileList.page}
        pages={fileList.pages}
        label="Pages of the file list"
        href={(page) => filesAddress(here, fileList.query, page)}
        onVisit={(event, page) => void visit(event, fileList.query, page)}
      />
    </section>
  );
}

function filesAddress(here: string, query: string, page: number): string {
  const parameters = new URLSearchParams();
  if (query !== "") parameters.set("q", query);
  if (page > 1) parameters.set("page", String(page));
  const text = parameters.toString();
  return `${here}${text === "" ? "" : `?${text}`}`;
}
