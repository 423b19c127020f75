import type { Draft } from "../../src/api/drafts.ts";
import type { FetchView } from "../../src/api/fetches.ts";
import { AskFirst } from "../parts/ask-first.tsx";
import { formatBytes, plural } from "../parts/format.ts";
import { fetchMood, fetchWords } from "../parts/fetch-words.ts";
import { Outside, State, When } from "../parts/words.tsx";

/** Right after setup: the next three steps. */
export function FirstSteps() {
  return (
    <section class="card" aria-labelledby="steps-title">
      <h2 id="steps-title">Your hub is ready. Three steps to the first link</h2>
      <ol class="steps">
        <li>Drop a file or a folder below.</li>
        <li>Press Publish.</li>
        <li>Share the link: it opens in any browser and any BitTorrent program.</li>
      </ol>
    </section>
  );
}

/** The person's own fetches, also failed ones. */
export function Fetches(props: { readonly fetches: readonly FetchView[] }) {
  if (props.fetches.length === 0) return null;
  return (
    <section class="stack tight" aria-labelledby="fetches-title">
      <h2 id="fetches-title">On their way from other people</h2>
      <ul class="list">
        {props.fetches.map((fetch) => (
          <li key={fetch.id}>
            <a class="name" href={new URL(fetch.pageUrl).pathname}>
              <Outside text={fetch.name} charactersMax={100} />
            </a>
            <div class="meta">
              <span>
                <State mood={fetchMood(fetch.state)}>{fetchWords(fetch)}</State>
              </span>
              {fetch.size !== null && <span>{formatBytes(fetch.size)}</span>}
              <span>
                started <When at={fetch.createdAt} />
              </span>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The person's own unfinished uploads. */
export function Unfinished(props: {
  readonly drafts: readonly Draft[];
  /** The draft whose files are being read again. */
  readonly readingId: string | undefined;
  readonly onGoOn: (draft: Draft) => void;
  readonly onGiveUp: (draft: Draft) => void;
}) {
  if (props.drafts.length === 0) return null;
  return (
    <section class="stack tight" aria-labelledby="unfinished-title">
      <h2 id="unfinished-title">Not finished yet</h2>
      <ul class="list">
        {props.drafts.map((draft) => (
          <li key={draft.id}>
            <strong>
              <Outside text={draft.name} charactersMax={100} />
            </strong>
            <div class="meta">
              {draft.problem !== null && (
                <span>
                  <State mood="bad">
                    <Outside text={draft.problem} />
                  </State>
                </span>
              )}
              <span>
                {formatBytes(draft.offset)} of {formatBytes(draft.size)} are here
              </span>
              <span>{plural(draft.fileCount, "file")}</span>
              <span>
                started <When at={draft.createdAt} />
              </span>
            </div>
            <div class="end acts js-only">
              <button
                type="button"
                class="btn"
                disabled={props.readingId !== undefined}
                onClick={() => props.onGoOn(draft)}
              >
                {props.readingId === draft.id ? "Reading your files" : "Go on"}
              </button>
              <AskFirst
                word="Throw away"
                label={`Throw away the upload of ${draft.name}`}
                question={
                  <>
                    Throw away the upload of “<Outside text={draft.name} charactersMax={80} />
                    ”?
                  </>
                }
                keep="Keep it"
                goAhead="Throw it away"
                onGoAhead={() => props.onGiveUp(draft)}
              >
                The hub deletes what has arrived of it, and the link stops working.
              </AskFirst>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
