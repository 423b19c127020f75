import { useState } from "preact/hooks";
import type { FetchView } from "../../src/api/fetches.ts";
import type { PublishPage } from "../../src/api/pages.ts";
import { FETCH_TORRENT_PATH } from "../../src/api/paths.ts";
import { MAGNET_CHARACTERS_MAX, TORRENT_FILE_BYTES_MAX } from "../../src/api/source-limits.ts";
import { askHub, type Trouble, troubleOf } from "../client/hub.ts";
import { Field, Problem } from "../parts/form.tsx";
import { formatBytes } from "../parts/format.ts";
import { PostForm } from "../parts/post-form.tsx";
import { Note } from "../parts/words.tsx";

/** Takes a magnet link in a plain form, or a .torrent file; the hub fetches its content. */
export function TorrentSource(props: { readonly model: PublishPage }) {
  const { source, problem } = props.model;
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [busy, setBusy] = useState(false);

  const send = async (file: File): Promise<void> => {
    setBusy(true);
    setTrouble(null);
    try {
      location.assign(await sendTorrentFile(file));
    } catch (error) {
      setBusy(false);
      setTrouble(troubleOf(error));
    }
  };
  const picked = (event: Event & { readonly currentTarget: HTMLInputElement }): void => {
    const [file] = event.currentTarget.files ?? [];
    if (file === undefined) return;
    if (file.size > TORRENT_FILE_BYTES_MAX) {
      const limit = formatBytes(TORRENT_FILE_BYTES_MAX);
      setTrouble({
        message: `This file is too large to be a .torrent: ${formatBytes(file.size)}, the limit is ${limit}.`,
        hint: "To publish the file itself, choose it under “I have files”.",
      });
    } else void send(file);
    // The same file may be chosen again, after a correction.
    event.currentTarget.value = "";
  };

  return (
    <section class="card stack" aria-label="From a .torrent or magnet" aria-busy={busy}>
      <p>
        The hub fetches it from the people who have it, and publishes it here when all of it has
        arrived. The infohash stays the same.
      </p>
      <PostForm class="form" action="/publish/torrent">
        <Problem problem={problem} />
        <Field
          id="source"
          name="source"
          label="Magnet link or infohash"
          help="A link that begins with “magnet:”, or the letters and digits of an infohash."
          defaultValue={source}
          problem={problem}
          maxLength={MAGNET_CHARACTERS_MAX}
          autocomplete="off"
          required
        />
        <button class="btn main">Fetch it</button>
      </PostForm>
      <div class="form js-only">
        <div class="field">
          <label for="torrent-file">Or a .torrent file</label>
          <input
            id="torrent-file"
            type="file"
            accept=".torrent,application/x-bittorrent"
            disabled={busy}
            aria-describedby="torrent-file-help"
            onChange={picked}
          />
          <small id="torrent-file-help" role="status">
            {busy
              ? "Sending it to the hub"
              : "It begins as soon as you choose or drop the file here."}
          </small>
        </div>
      </div>
      {trouble !== null && (
        <Note mood="bad" title={trouble.message} alert>
          {trouble.hint !== null && <p>{trouble.hint}</p>}
        </Note>
      )}
      <p class="without-js small">
        A .torrent file needs JavaScript here, or the command line:{" "}
        <code>everseed publish FILE.torrent --to URL --token-file F</code>
      </p>
    </section>
  );
}

/** @returns The path of the page that shows the progress of the fetch. */
async function sendTorrentFile(file: File): Promise<string> {
  const body = new Blob([file], { type: "application/x-bittorrent" });
  const fetch = await askHub<FetchView>("POST", FETCH_TORRENT_PATH, body);
  return new URL(fetch.pageUrl).pathname;
}
