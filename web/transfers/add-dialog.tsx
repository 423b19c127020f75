import { useState } from "preact/hooks";
import type { TransferStatus, TransferView } from "../../src/api/transfers.ts";
import { TRANSFER_FILE_PATH, transferPagePath, TRANSFERS_PATH } from "../../src/api/paths.ts";
import { MAGNET_CHARACTERS_MAX, TORRENT_FILE_BYTES_MAX } from "../../src/api/source-limits.ts";
import { askHub, HubRefusal, type Trouble, troubleOf } from "../client/hub.ts";
import { formatBytes, plural } from "../parts/format.ts";
import { Note, Outside } from "../parts/words.tsx";
import { Dialog } from "./dialog.tsx";
import type { GivenSource } from "./given-source.ts";

/** Adds what a link, an address or .torrent files name. */
export function AddDialog(props: {
  readonly given: GivenSource;
  readonly status: TransferStatus;
  readonly labels: readonly string[];
  readonly onAdded: (added: readonly TransferView[]) => void;
  readonly onClose: () => void;
}) {
  const { status, labels, onAdded, onClose } = props;
  const [text, setText] = useState(props.given.text);
  const [files, setFiles] = useState(props.given.files);
  const [folder, setFolder] = useState("");
  const [label, setLabel] = useState("");
  const [starts, setStarts] = useState(true);
  const [first, setFirst] = useState(false);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const folders = status.disks.flatMap((disk) => disk.folders);

  /** @param chooses - It waits until its files are chosen. */
  const add = async (chooses: boolean): Promise<void> => {
    setBusy(true);
    setTrouble(null);
    const how = {
      ...(folder.trim() !== "" && { folder: folder.trim() }),
      ...(label.trim() !== "" && { label: label.trim() }),
      ...((chooses || !starts) && { stopped: true }),
      ...(first && { first: true }),
    };
    const added: TransferView[] = [];
    try {
      if (files.length === 0) {
        added.push(
          await askHub<TransferView>("POST", TRANSFERS_PATH, { source: text.trim(), ...how }),
        );
      }
      for (const file of files) {
        if (file.size > TORRENT_FILE_BYTES_MAX) throw tooLarge(file);
        const query = new URLSearchParams(
          Object.entries(how).map(([key, value]) => [key, String(value)]),
        );
        const body = new Blob([file], { type: "application/x-bittorrent" });
        added.push(await askHub<TransferView>("POST", `${TRANSFER_FILE_PATH}?${query}`, body));
        setFiles((rest) => rest.filter((each) => each !== file));
      }
      if (chooses) location.assign(transferPagePath(added[0]!.id, "files"));
      else {
        onAdded(added);
        onClose();
      }
    } catch (error) {
      if (added.length > 0) onAdded(added);
      setBusy(false);
      setTrouble(troubleOf(error));
    }
  };
  const nothing = files.length === 0 && text.trim() === "";

  return (
    <Dialog title="Add a transfer" wide onClose={onClose}>
      <form
        class="stack"
        aria-busy={busy}
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy && !nothing) void add(false);
        }}
      >
        {trouble !== null && (
          <Note mood="bad" title={<Outside text={trouble.message} />} alert>
            {trouble.hint !== null && <p>{trouble.hint}</p>}
          </Note>
        )}
        {files.length > 0 ? (
          <Chosen files={files} onClear={() => setFiles([])} />
        ) : (
          <div class="field">
            <label for="add-source">Magnet link, address or infohash</label>
            <input
              id="add-source"
              value={text}
              maxLength={MAGNET_CHARACTERS_MAX}
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              autofocus
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </div>
        )}
        <div class="field">
          <label for="add-files">
            {files.length > 0 ? "Other .torrent files" : "Or .torrent files"}
          </label>
          <input
            id="add-files"
            type="file"
            multiple
            accept=".torrent,application/x-bittorrent"
            onChange={(event) => {
              const { files: picked } = event.currentTarget;
              if (picked !== null && picked.length > 0) setFiles([...picked]);
            }}
          />
        </div>
        <div class="field">
          <label for="add-folder">Save to</label>
          <input
            id="add-folder"
            list="add-folders"
            value={folder}
            placeholder={status.folder}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            onInput={(event) => setFolder(event.currentTarget.value)}
          />
          <datalist id="add-folders">
            {folders.map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
          <small>{roomWords(status, folder.trim())}</small>
        </div>
        <div class="field">
          <label for="add-label">Label</label>
          <input
            id="add-label"
            list="add-labels"
            value={label}
            maxLength={100}
            placeholder="none"
            autocomplete="off"
            onInput={(event) => setLabel(event.currentTarget.value)}
          />
          <datalist id="add-labels">
            {labels.map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
        </div>
        <div>
          <label class="tick">
            <input
              type="checkbox"
              checked={starts}
              onChange={(event) => setStarts(event.currentTarget.checked)}
            />
            <span>Start at once</span>
          </label>
          <label class="tick">
            <input
              type="checkbox"
              checked={first}
              onChange={(event) => setFirst(event.currentTarget.checked)}
            />
            <span>Before all others in the queue</span>
          </label>
        </div>
        <div class="row">
          <button class="btn main" disabled={busy || nothing}>
            {busy ? "Adding" : "Add"}
          </button>
          {files.length === 1 && (
            <button type="button" class="btn" disabled={busy} onClick={() => void add(true)}>
              Choose files first
            </button>
          )}
          <button type="button" class="btn quiet" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Chosen(props: { readonly files: readonly File[]; readonly onClear: () => void }) {
  const { files, onClear } = props;
  const [only] = files;
  return (
    <div class="row apart">
      <span>
        {files.length === 1 && only !== undefined ? (
          <Outside text={only.name} charactersMax={60} />
        ) : (
          plural(files.length, ".torrent file")
        )}
      </span>
      <button type="button" class="btn small" onClick={onClear}>
        Use a link instead
      </button>
    </div>
  );
}

/** The room on the disk of the chosen folder, or of the default one. */
function roomWords({ disks, folder }: TransferStatus, chosen: string): string {
  const place = chosen === "" ? folder : chosen;
  const isAbove = (above: string): boolean => place === above || place.startsWith(`${above}/`);
  const disk = disks.find(({ folders }) => folders.some(isAbove));
  if (disk === undefined) return "A whole path; the folder is made when it is not there.";
  const name = disk.name === "/" ? "The disk" : `Disk ${disk.name}`;
  return `${name} has ${formatBytes(disk.freeBytes)} free.`;
}

function tooLarge({ name, size }: File): HubRefusal {
  const limit = formatBytes(TORRENT_FILE_BYTES_MAX);
  return new HubRefusal(413, {
    code: "too_large",
    message: `${name} is too large to be a .torrent: ${formatBytes(size)}, the limit is ${limit}.`,
  });
}
