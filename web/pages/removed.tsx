import type { RemovedPage } from "../../src/api/pages.ts";
import { PostForm } from "../parts/post-form.tsx";
import { SearchForm } from "../parts/search.tsx";
import { Note, Outside } from "../parts/words.tsx";

/** The page of a removed torrent: who removed it, when, and the undo while it is possible. */
export function RemovedView(props: { readonly model: RemovedPage }) {
  const { removal, mayUndo } = props.model;
  const { removedBy, removedAt, undoUntil } = removal;
  return (
    <div class="stack lone">
      <div class="stack tight">
        <p class="small num">Error 410</p>
        <h1>Removed</h1>
      </div>
      <p>
        {removal.name === null ? (
          "The torrent at this address"
        ) : (
          <strong>
            <Outside text={removal.name} charactersMax={200} />
          </strong>
        )}{" "}
        was removed
        {removedBy !== null && (
          <>
            {" "}
            by <Outside text={removedBy} charactersMax={60} />
          </>
        )}{" "}
        on <time datetime={removedAt}>{dayOf(removedAt)}</time>.
      </p>
      {mayUndo && undoUntil !== null ? (
        <Note mood="warn" title="You can undo this">
          <div class="stack close">
            {" "}
            <p>
              Until {dayOf(undoUntil)} everything is kept. After that day its files are gone for
              good. The same files published again bring it back, too.
            </p>
            <PostForm action={`/t/${removal.id}/restore`}>
              <button class="btn main">Undo: bring it back</button>
            </PostForm>
          </div>
        </Note>
      ) : (
        <p>
          {undoUntil === null
            ? "It cannot come back: its files are gone."
            : `Its publisher and the administrators of this hub can undo that until ${dayOf(undoUntil)}.`}
        </p>
      )}
      <SearchForm query="" label="Search the catalogue" />
      <p>
        <a href="/">Go to the catalogue</a>
      </p>
    </div>
  );
}

/** The day in UTC of an ISO 8601 time. */
function dayOf(time: string): string {
  return time.slice(0, 10);
}
