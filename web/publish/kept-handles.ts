/**
 * Files and folders that the browser keeps over a reload: handles of the File System Access API in IndexedDB. Only
 * Chromium has it, on https and loopback; elsewhere people choose the files again.
 */
export type KeptHandle = (FileSystemFileHandle | FileSystemDirectoryHandle) & Permitted;

/** Not in the DOM's types yet. */
interface Permitted {
  queryPermission?(options: { readonly mode: "read" }): Promise<PermissionState>;
  requestPermission?(options: { readonly mode: "read" }): Promise<PermissionState>;
}

interface Pickers {
  showOpenFilePicker?(options: { readonly multiple: boolean }): Promise<readonly KeptHandle[]>;
  showDirectoryPicker?(options: { readonly mode: "read" }): Promise<KeptHandle>;
}

/** True where handles exist and can be kept. */
export function canKeepHandles(): boolean {
  return "showOpenFilePicker" in globalThis && "indexedDB" in globalThis;
}

/**
 * Lets a person choose with the browser's own dialog.
 *
 * @returns Empty when nothing was chosen; `undefined` when this browser supports no handles.
 */
export async function pickHandles(
  what: "files" | "folder",
): Promise<readonly KeptHandle[] | undefined> {
  const pickers = globalThis as Pickers;
  try {
    if (what === "files") return await pickers.showOpenFilePicker?.({ multiple: true });
    const folder = await pickers.showDirectoryPicker?.({ mode: "read" });
    return folder && [folder];
  } catch (error) {
    // The dialog was closed, or the folder is one that the browser gives to no page.
    if (error instanceof DOMException && error.name === "AbortError") return [];
    throw error;
  }
}

/** Must be called inside the drop event. @returns `undefined` unless everything dropped has a handle. */
export async function droppedHandles(
  transfer: DataTransfer,
): Promise<readonly KeptHandle[] | undefined> {
  const items = [...transfer.items].filter((item) => item.kind === "file") as (DataTransferItem & {
    getAsFileSystemHandle?(): Promise<KeptHandle | null>;
  })[];
  try {
    const handles = await Promise.all(
      items.map(async (item) => (await item.getAsFileSystemHandle?.()) ?? null),
    );
    const kept = handles.filter((handle) => handle !== null);
    return kept.length === items.length ? kept : undefined;
  } catch (error) {
    console.debug("what was dropped cannot be kept", error);
    return undefined;
  }
}

/** Asks the person for permission when needed; call it on a click. */
export async function mayRead(handles: readonly KeptHandle[]): Promise<boolean> {
  const mode = { mode: "read" } as const;
  for (const handle of handles) {
    if ((await handle.queryPermission?.(mode)) === "granted") continue;
    if ((await handle.requestPermission?.(mode)) !== "granted") return false;
  }
  return true;
}

const databaseName = "everseed";
const storeName = "handles";

/** It does no harm when the browser refuses to keep them: the files are chosen again. */
export async function keepHandles(
  draftId: string,
  handles: readonly KeptHandle[] | undefined,
): Promise<void> {
  if (handles === undefined) return;
  await withStore("readwrite", (store) => store.put([...handles], draftId));
}

export async function recallHandles(draftId: string): Promise<readonly KeptHandle[] | undefined> {
  return withStore<readonly KeptHandle[] | undefined>("readonly", (store) => {
    // Written by `keepHandles`, on this site only.
    return store.get(draftId) as IDBRequest<readonly KeptHandle[] | undefined>;
  });
}

export async function forgetHandles(draftId: string): Promise<void> {
  await withStore("readwrite", (store) => store.delete(draftId));
}

async function withStore<T>(
  mode: IDBTransactionMode,
  use: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T | undefined> {
  if (!canKeepHandles()) return undefined;
  try {
    const opening = indexedDB.open(databaseName, 1);
    opening.addEventListener("upgradeneeded", () => opening.result.createObjectStore(storeName));
    const database = await settled(opening);
    try {
      return await settled(use(database.transaction(storeName, mode).objectStore(storeName)));
    } finally {
      database.close();
    }
  } catch (error) {
    console.debug("the browser keeps no files for later", error);
    return undefined;
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("refused")));
    request.addEventListener("blocked", () => reject(new Error("another page holds it")));
  });
}
