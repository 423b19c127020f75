import { useEffect, useRef, useState } from "preact/hooks";
import { KIND_DEFAULT, KIND_READERS } from "../../src/api/kinds.ts";
import type { PublishPage } from "../../src/api/pages.ts";
import type { TorrentSummary } from "../../src/api/torrents.ts";
import { formatBytes, formatPieceSize, plural } from "../parts/format.ts";
import { Field } from "../parts/form.tsx";
import { Note, Outside, Size, State } from "../parts/words.tsx";
import { type Chosen, named } from "./chosen-files.ts";
import { automaticPieceSize, pieceSizes } from "./piece-size.ts";
import type { DraftOptions } from "./remembered.ts";

/** Files shown of a long list; the rest is a number. */
const filesShownMax = 100;

/** The publication with its title and one button; everything else has a default under "More". */
export function PublishForm(props: {
  readonly model: PublishPage;
  readonly chosen: Chosen;
  readonly problem: { readonly message: string; readonly hint: string | null } | null;
  readonly busy: boolean;
  /** The content is already here. */
  readonly known: TorrentSummary | null;
  /** Called at first, and when an option changes the resulting torrent. */
  readonly onOptions: (options: DraftOptions) => void;
  readonly onPublish: (options: DraftOptions) => void;
  readonly onCancel: () => void;
}) {
  const { model, chosen, problem, busy, known } = props;
  const [kind, setKind] = useState<TorrentSummary["kind"]>(KIND_DEFAULT);
  const [pieceSize, setPieceSize] = useState("auto");
  const [isPrivate, setPrivate] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const refusal = judge(chosen, model);
  useEffect(() => {
    if (form.current === null || refusal !== null) return;
    props.onOptions(readOptions(new FormData(form.current), chosen, kind));
  }, [chosen, kind, pieceSize, isPrivate]);

  const submit = (event: SubmitEvent & { readonly currentTarget: HTMLFormElement }): void => {
    event.preventDefault();
    if (!busy && refusal === null) {
      props.onPublish(readOptions(new FormData(event.currentTarget), chosen, kind));
    }
  };
  return (
    <form ref={form} class="card stack" onSubmit={submit} aria-busy={busy}>
      <Field
        id="name"
        name="name"
        label="Title"
        defaultValue={chosen.name}
        maxLength={255}
        autocomplete="off"
        required
        prose
      />
      <ChosenFiles chosen={chosen} />
      {refusal !== null && <Refusal {...refusal} />}
      {problem !== null && <Refusal {...problem} />}
      <TorrentFiles chosen={chosen} />
      {known !== null && <Known torrent={known} />}
      <div class="row acts-wide">
        <button class={known === null ? "btn main" : "btn"} disabled={busy || refusal !== null}>
          {busy ? "Preparing" : "Publish"}
        </button>
        <button type="button" class="btn quiet" onClick={props.onCancel} disabled={busy}>
          Choose something else
        </button>
      </div>
      <details>
        <summary>More: description, kind, piece size, trackers, private</summary>
        <div class="form">
          <label>
            Description
            <textarea name="comment" maxLength={10_000} dir="auto" />
          </label>
          <label>
            Kind
            <select
              name="kind"
              value={kind}
              onChange={(event) => setKind(event.currentTarget.value as TorrentSummary["kind"])}
            >
              <option value="v1">v1</option>
              <option value="hybrid">Hybrid</option>
              <option value="v2">v2</option>
            </select>
            <small aria-live="polite">{sentence(KIND_READERS[kind])}</small>
          </label>
          <label>
            Piece size
            <select
              name="pieceSize"
              value={pieceSize}
              onChange={(event) => setPieceSize(event.currentTarget.value)}
            >
              <option value="auto">
                Automatic ({formatPieceSize(automaticPieceSize(chosen.size))})
              </option>
              {pieceSizes.map((size) => (
                <option key={size} value={size}>
                  {formatPieceSize(size)}
                </option>
              ))}
            </select>
          </label>
          <label>
            More trackers
            <textarea name="trackers" class="mono" spellcheck={false} />
            <small>
              One address per line. This hub's own comes first in every torrent, as it is reached at
              the time.
            </small>
          </label>
          <label class="tick">
            <input
              type="checkbox"
              name="private"
              checked={isPrivate}
              onChange={(event) => setPrivate(event.currentTarget.checked)}
            />
            <span>
              Private
              <small>
                Programs look for peers at these trackers only. It stays in the catalogue.
              </small>
            </span>
          </label>
        </div>
      </details>
    </form>
  );
}

function sentence(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`;
}

function ChosenFiles(props: { readonly chosen: Chosen }) {
  const { files, size, folder, unreadable } = props.chosen;
  const more = files.length - filesShownMax;
  return (
    <div class="stack tight">
      <div class="meta">
        <span>{plural(files.length, "file")}</span>
        <Size bytes={size} />
      </div>
      {folder && (
        <details>
          <summary>Show the files</summary>
          <ul class="files chosen" tabIndex={0} aria-label="Chosen files">
            {files.slice(0, filesShownMax).map(({ path, file }) => (
              <li key={path}>
                <Outside text={path} charactersMax={120} />
                <Size bytes={file.size} class="size" />
              </li>
            ))}
            {more > 0 && <li>and {plural(more, "more file")}</li>}
          </ul>
        </details>
      )}
      {unreadable.length > 0 && (
        <Note
          mood="warn"
          title={`${plural(unreadable.length, "file")} could not be read and will be left out`}
        >
          <ul class="chosen">
            {unreadable.slice(0, filesShownMax).map((path) => (
              <li key={path}>
                <Outside text={path} />
              </li>
            ))}
          </ul>
        </Note>
      )}
    </div>
  );
}

/** People who drop a .torrent file usually mean the content it describes. */
function TorrentFiles({ chosen }: { readonly chosen: Chosen }) {
  const torrents = chosen.files.filter(({ path }) => /\.torrent$/i.test(path));
  if (torrents.length === 0 || torrents.length < chosen.files.length) return null;
  const isOne = torrents.length === 1;
  return (
    <Note mood="warn" title={isOne ? "This is a .torrent file" : "These are .torrent files"}>
      <p>
        {isOne ? "It only describes" : "They only describe"} files that are somewhere else. To have
        the hub fetch and publish those, choose it under{" "}
        <a href="/publish?from=torrent">I have a .torrent or magnet</a>. Publish uploads the
        description itself.
      </p>
    </Note>
  );
}

/** Nothing has to be sent: the content already has a page. */
function Known({ torrent }: { readonly torrent: TorrentSummary }) {
  return (
    <div class="note" role="status">
      <State mood="good">This is here already</State>
      <p>
        The same files were published before as “
        <Outside text={torrent.name} charactersMax={80} />
        ”. Nothing needs to be uploaded.
      </p>
      <div class="row fill">
        <a class="btn main" href={new URL(torrent.pageUrl).pathname}>
          Go to its page
        </a>
      </div>
    </div>
  );
}

function Refusal(props: { readonly message: string; readonly hint: string | null }) {
  return (
    <Note mood="bad" title={props.message} alert>
      {props.hint !== null && <p>{props.hint}</p>}
    </Note>
  );
}

/** @returns The reason for which the hub would refuse this, before anything is sent; otherwise null. */
function judge(chosen: Chosen, model: PublishPage): { message: string; hint: string } | null {
  const { files, size } = chosen;
  if (files.length === 0) {
    return { message: "There are no files in it.", hint: "A torrent needs at least one file." };
  }
  if (files.length > model.filesMax) {
    return {
      message: `The limit here is ${plural(model.filesMax, "file")}.`,
      hint: "Pack them into an archive, or publish parts of the folder one by one.",
    };
  }
  if (model.uploadBytesMax !== null && size > model.uploadBytesMax) {
    return {
      message: `The limit here is ${formatBytes(model.uploadBytesMax)}; this is ${formatBytes(size)}.`,
      hint: "Ask the administrator of this hub to raise it.",
    };
  }
  if (model.freeBytes !== null && size > model.freeBytes) {
    return {
      message: `The hub has ${formatBytes(model.freeBytes)} free; this is ${formatBytes(size)}.`,
      hint: "Free some space on the hub's disk, or publish less.",
    };
  }
  return null;
}

function readOptions(form: FormData, chosen: Chosen, kind: TorrentSummary["kind"]): DraftOptions {
  const text = (field: string): string => {
    const value = form.get(field);
    return typeof value === "string" ? value.trim() : "";
  };
  const comment = text("comment");
  const pieceSize = text("pieceSize");
  const trackers = text("trackers")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return {
    ...named(chosen, text("name")),
    folder: chosen.folder,
    kind,
    pieceSize: pieceSize === "auto" ? "auto" : Number(pieceSize),
    private: form.get("private") !== null,
    ...(comment === "" ? {} : { comment }),
    ...(trackers.length === 0 ? {} : { trackers }),
  };
}
