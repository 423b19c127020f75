import type { TrackerNotice } from "../../src/api/fetches.ts";
import type { FetchPage, Page, PageModel } from "../../src/api/pages.ts";
import { useFollowing } from "../client/following.ts";
import { Copy } from "../parts/copy.tsx";
import { fetchPercent, fetchWords } from "../parts/fetch-words.ts";
import { formatBytes, formatDuration, formatSpeed, plural } from "../parts/format.ts";
import { PostForm } from "../parts/post-form.tsx";
import { slownessWords } from "../parts/peer-words.ts";
import { Share } from "../parts/share.tsx";
import { Note, Outside, Size, When } from "../parts/words.tsx";

const askAgainMs = 2000;

/** A torrent that the hub fetches from its swarm: its progress, what holds it up, and what to do. */
export function FetchView(props: {
  readonly model: FetchPage;
  readonly replace: (page: Page) => void;
}) {
  const { model } = props;
  const { name, size, mine } = model;
  const lost = useFollowing(model, props.replace, { everyMs: askAgainMs, say: spoken });
  return (
    <div class="stack">
      <div class="stack tight">
        <h1>{name === null ? "Not here" : <Outside text={name} />}</h1>
        <div class="meta">
          {size !== null && <Size bytes={size} />}
          <span>
            started <When at={model.createdAt} />
          </span>
        </div>
      </div>
      <div class="two">
        <section class="card stack" aria-labelledby="coming-title">
          <h2 id="coming-title">{fetchWords(model)}</h2>
          {lost && (
            <p class="paused" role="status">
              Live figures paused, trying again
            </p>
          )}
          {model.state === "failed" ? (
            <Failed problem={mine === null ? null : mine.problem} />
          ) : (
            <div class={lost ? "stack tight stale" : "stack tight"}>
              <Bar model={model} />
              <Held model={model} />
              <TrackersSay model={model} />
              <p class="small">
                The hub fetches this from the people who have it. The download opens on this page
                when all of it has arrived.
              </p>
            </div>
          )}
          {mine !== null && (
            <div class="field">
              <span>Infohash</span>
              <Copy line text={mine.infohash} what="infohash" />
            </div>
          )}
          {mine !== null && <Acts model={model} />}
        </section>
        <aside class="stack" aria-label="Share">
          {model.state !== "failed" && <Share qr={model.qr} url={model.pageUrl} />}
        </aside>
      </div>
    </div>
  );
}

function Bar({ model }: { readonly model: FetchPage }) {
  const { size, bytesDone, mine } = model;
  const facts = size === null ? [] : [`${formatBytes(bytesDone)} of ${formatBytes(size)} are here`];
  if (mine !== null) {
    facts.push(plural(mine.peers, "peer"));
    if (mine.bytesPerSecond > 0) {
      facts.push(formatSpeed(mine.bytesPerSecond));
      if (size !== null) {
        facts.push(`${formatDuration((size - bytesDone) / mine.bytesPerSecond)} left`);
      }
    }
    if (mine.slowness !== null) facts.push(slownessWords[mine.slowness]);
  }
  return (
    <>
      {size !== null && <progress max={100} value={fetchPercent(model)} aria-label="Fetched" />}
      {facts.length > 0 && <p class="small num">{facts.join(" · ")}</p>}
    </>
  );
}

/** What holds it up, and what happens next. */
function Held({ model }: { readonly model: FetchPage }) {
  const { state, mine } = model;
  if (state === "waiting") {
    return (
      <Note mood="warn" title={mine?.problem ?? "The disk of this hub refuses at the moment."}>
        <p>It continues by itself as soon as the disk accepts it. It may only need free space.</p>
      </Note>
    );
  }
  if (mine !== null && mine.problem !== null) {
    return (
      <Note mood="warn" title={<Outside text={mine.problem} />}>
        <p>
          Cancel it, and give the .torrent file or a link that names trackers: one with “&tr=” in
          it. Without trackers it only continues when a peer that has it connects to this hub.
        </p>
      </Note>
    );
  }
  if (state !== "stalled") return null;
  const title =
    mine === null || mine.peers === 0
      ? "Nobody who has it answers"
      : `${plural(mine.peers, "peer is", "peers are")} connected, and none of them has what is missing`;
  return (
    <Note mood="warn" title={title}>
      <p>
        It continues by itself as soon as it finds somebody who has it. If you know such a person,
        ask them to start their BitTorrent program.
      </p>
    </Note>
  );
}

/** Messages of trackers. One dead tracker of many is a detail, unless no peer sends. */
function TrackersSay({ model }: { readonly model: FetchPage }) {
  const { mine, state } = model;
  const warnings = mine?.trackerNotices.filter(({ kind }) => kind === "warning") ?? [];
  const failures = mine?.trackerNotices.filter(({ kind }) => kind === "failure") ?? [];
  return (
    <>
      {warnings.length > 0 && (
        <Note mood="warn" title={plural(warnings.length, "tracker warns", "trackers warn")}>
          <TrackerWords notices={warnings} />
        </Note>
      )}
      {failures.length > 0 && (
        <details open={state === "stalled" || mine?.peers === 0}>
          <summary>
            {plural(failures.length, "tracker does not help", "trackers do not help")}
          </summary>
          <TrackerWords notices={failures} />
        </details>
      )}
    </>
  );
}

function TrackerWords(props: { readonly notices: readonly TrackerNotice[] }) {
  return (
    <ul class="tracker-words">
      {props.notices.map(({ kind, tracker, message }) => (
        <li key={`${kind} ${tracker} ${message}`}>
          <Outside text={tracker} charactersMax={80} />: <Outside text={message} />
        </li>
      ))}
    </ul>
  );
}

function Failed(props: { readonly problem: string | null }) {
  if (props.problem === null) {
    return (
      <p>It could not be fetched. The person who started it sees the reason, and can try again.</p>
    );
  }
  return (
    <Note mood="bad" title={<Outside text={props.problem} />}>
      <p>When the cause is gone, try again: what has arrived is kept. Or cancel it.</p>
    </Note>
  );
}

/** Plain forms. A second click, which says what will happen, guards what cannot be undone. */
function Acts({ model }: { readonly model: FetchPage }) {
  return (
    <>
      {model.state === "failed" && (
        <PostForm action={`/t/${model.id}/retry`}>
          <button class="btn main">Try again</button>
        </PostForm>
      )}
      <details>
        <summary>Cancel</summary>
        <PostForm class="form" action={`/t/${model.id}/cancel`}>
          <p>
            The hub throws away{" "}
            {model.bytesDone > 0 ? `the ${formatBytes(model.bytesDone)} that are` : "what is"} here,
            and this link stops working. The same magnet link or .torrent file starts it again.
          </p>
          <button class="btn">Cancel and throw away</button>
        </PostForm>
      </details>
    </>
  );
}

function spoken(model: PageModel): string {
  if (model.kind === "fetch") return fetchWords(model);
  return model.kind === "torrent" ? "All of it has arrived: it is published" : "It is gone";
}
