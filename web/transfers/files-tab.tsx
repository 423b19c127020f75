import { useMemo, useState } from "preact/hooks";
import type { TransferFilesView, TransferView } from "../../src/api/transfers.ts";
import { transferContentPath, transferPath } from "../../src/api/paths.ts";
import { formatBytes, formatCount, formatExactBytes, plural } from "../parts/format.ts";
import { Outside } from "../parts/words.tsx";
import { type FileRow, fileRows } from "./file-rows.ts";
import { TextDialog } from "./text-dialog.tsx";
import type { TransferActions } from "./transfer-actions.ts";
import { useAsked } from "./use-asked.ts";

const ASK_EVERY_MS = 5_000;
/** Rows that are shown at first. */
const ROWS_MAX = 500;

type Priority = TransferFilesView["files"][number]["priority"];

const PRIORITIES: readonly (readonly [Priority, word: string])[] = [
  ["high", "High"],
  ["normal", "Normal"],
  ["low", "Low"],
  ["skip", "Skip"],
];

/** The files as a tree: which are wanted, how soon, and what they are called. */
export function FilesTab(props: {
  readonly transfer: TransferView;
  readonly first: TransferFilesView["files"];
  readonly actions: TransferActions;
}) {
  const { transfer, first, actions } = props;
  const { id } = transfer;
  const asked = useAsked<TransferFilesView>(`${transferPath(id)}/files`, ASK_EVERY_MS, {
    files: first,
  });
  const [chosen, setChosen] = useState<ReadonlyMap<number, Priority>>(new Map());
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [search, setSearch] = useState("");
  const [limit, setLimit] = useState(ROWS_MAX);
  const [renaming, setRenaming] = useState<FileRow | undefined>();
  const known = asked.value?.files ?? first;
  const files = useMemo(
    () => known.map((file) => ({ ...file, priority: chosen.get(file.index) ?? file.priority })),
    [known, chosen],
  );
  const rows = useMemo(() => {
    const words = search.toLowerCase();
    const found =
      words === "" ? files : files.filter(({ path }) => path.toLowerCase().includes(words));
    return fileRows(found, words === "" ? closed : new Set());
  }, [files, closed, search]);

  const choose = async (indexes: readonly number[], priority: Priority): Promise<void> => {
    setChosen(new Map([...chosen, ...indexes.map((index) => [index, priority] as const)]));
    const changes = Object.fromEntries(indexes.map((index) => [String(index), priority]));
    await actions.edit([id], { files: changes });
    asked.again();
    setChosen(new Map());
  };
  if (files.length === 0) {
    return <p class="small">The files are known once the details of the link are found.</p>;
  }
  const wanted = files.filter(({ priority }) => priority !== "skip");
  const sum = (of: typeof files): number => of.reduce((total, { length }) => total + length, 0);
  const hasOthers = wanted.length < files.length;
  return (
    <section class="board" aria-labelledby="files-title">
      <header>
        <div>
          <h2 id="files-title">
            {plural(files.length, "file")}
            {hasOthers && `, ${formatCount(wanted.length)} wanted`}
          </h2>
          <p class="small num">
            {hasOthers
              ? `${formatBytes(sum(wanted))} of ${formatBytes(sum(files))}`
              : formatBytes(sum(files))}{" "}
            in <Outside text={transfer.folder} charactersMax={60} />
          </p>
        </div>
        <input
          class="js-only"
          type="search"
          aria-label="Find a file"
          placeholder="Find a file"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      </header>
      <table role="table" class="ledger" aria-label="Files">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">
              Name
            </th>
            <th role="columnheader" scope="col">
              Done
            </th>
            <th role="columnheader" scope="col" class="n">
              Size
            </th>
            <th role="columnheader" scope="col" class="fit">
              Priority
            </th>
            <th role="columnheader" scope="col">
              <span class="unseen">Rename</span>
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.slice(0, limit).map((row) => (
            <Row
              key={row.path}
              id={id}
              row={row}
              isClosed={closed.has(row.path) && search === ""}
              onToggle={() => setClosed(toggled(closed, row.path))}
              onPriority={(priority) => void choose(row.indexes, priority)}
              onRename={() => setRenaming(row)}
            />
          ))}
        </tbody>
      </table>
      <footer>
        {rows.length === 0 && "No file is called so. "}
        {rows.length > limit && (
          <button type="button" class="link js-only" onClick={() => setLimit(limit + ROWS_MAX * 4)}>
            Show more of {formatCount(rows.length)}
          </button>
        )}{" "}
        A file that is not wanted may still get a few bytes: pieces do not end where files do.
      </footer>
      {renaming !== undefined && (
        <TextDialog
          title={renaming.isFolder ? "Rename the folder" : "Rename the file"}
          label="Name"
          help="It is renamed on the disk too; others still find it by its pieces."
          value={renaming.name}
          choices={[]}
          word="Rename"
          required
          onText={async (name) => {
            const isDone = await actions.rename(id, renaming.path, name);
            if (isDone) asked.again();
            return isDone;
          }}
          onClose={() => setRenaming(undefined)}
        />
      )}
    </section>
  );
}

function toggled(closed: ReadonlySet<string>, path: string): ReadonlySet<string> {
  const next = new Set(closed);
  if (!next.delete(path)) next.add(path);
  return next;
}

/** Media that browsers and players take while it is fetched; what is asked for comes first. */
const PLAYABLE = /\.(?:aac|flac|m4[av]|mk[av]|mov|mp[34]|mpe?g|og[agv]|opus|wav|webm)$/i;

/** A file that is whole is a link; one that is not can be played when it is media. */
function FileName(props: { readonly id: string; readonly row: FileRow }) {
  const { id, row } = props;
  const { name, length, done, indexes, priority } = row;
  const address = transferContentPath(id, indexes[0]!);
  const isWhole = done === length;
  const isMedia = PLAYABLE.test(name);
  return (
    <span>
      {isWhole ? (
        <a href={address}>
          <Outside text={name} charactersMax={120} />
        </a>
      ) : (
        <Outside text={name} charactersMax={120} />
      )}
      {isMedia && (isWhole || priority !== "skip") && (
        <>
          {" "}
          <a
            class="small play"
            href={address}
            target="_blank"
            rel="noreferrer"
            aria-label={`Play ${name}`}
          >
            Play
          </a>
        </>
      )}
    </span>
  );
}

function Row(props: {
  readonly id: string;
  readonly row: FileRow;
  readonly isClosed: boolean;
  readonly onToggle: () => void;
  readonly onPriority: (priority: Priority) => void;
  readonly onRename: () => void;
}) {
  const { row, isClosed, onToggle, onPriority, onRename } = props;
  const { name, length, done, priority, isFolder } = row;
  const percent = length === 0 ? 100 : Math.floor((done * 100) / length);
  const isWanted = priority !== "skip";
  return (
    <tr role="row">
      <td role="cell">
        <div class="tree" data-depth={Math.min(row.depth, 8)}>
          {isFolder ? (
            <button
              type="button"
              class="btn small icon quiet js-only"
              aria-expanded={!isClosed}
              aria-label={`${isClosed ? "Open" : "Close"} ${name}`}
              onClick={onToggle}
            >
              {isClosed ? "▸" : "▾"}
            </button>
          ) : (
            <span class="hit js-only">
              <label>
                <input
                  type="checkbox"
                  aria-label={`Download ${name}`}
                  checked={isWanted}
                  onChange={(event) => onPriority(event.currentTarget.checked ? "normal" : "skip")}
                />
              </label>
            </span>
          )}
          {isFolder ? (
            <strong>
              <Outside text={name} charactersMax={120} />
            </strong>
          ) : (
            <FileName id={props.id} row={row} />
          )}
        </div>
      </td>
      <td role="cell" class="bar-cell">
        <progress
          class={isWanted ? "thin" : "thin wait"}
          value={percent}
          max={100}
          aria-label={`${percent} % of ${name}`}
        />
        <div>
          <b>{percent === 100 ? "complete" : isWanted ? `${percent} %` : "not wanted"}</b>
        </div>
      </td>
      <td role="cell" class="n" data-l="Size" title={formatExactBytes(length)}>
        {formatBytes(length)}
      </td>
      <td role="cell" data-l="Priority">
        <select
          class="js-only"
          aria-label={`Priority of ${name}`}
          value={priority ?? ""}
          onChange={(event) => onPriority(event.currentTarget.value as Priority)}
        >
          {priority === null && (
            <option value="" disabled>
              Mixed
            </option>
          )}
          {PRIORITIES.map(([each, word]) => (
            <option key={each} value={each} selected={each === priority}>
              {word}
            </option>
          ))}
        </select>
        <span class="without-js">{priority ?? "mixed"}</span>
      </td>
      <td role="cell" class="act">
        <button
          type="button"
          class="btn small quiet js-only"
          aria-label={`Rename ${name}`}
          onClick={onRename}
        >
          Rename
        </button>
      </td>
    </tr>
  );
}
