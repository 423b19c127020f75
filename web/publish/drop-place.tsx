import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { formatCount } from "../parts/format.ts";
import { UploadIcon } from "../parts/icons.tsx";
import { type Chosen, fromDrop, fromHandles, fromPicker } from "./chosen-files.ts";
import { canKeepHandles, droppedHandles, type KeptHandle, pickHandles } from "./kept-handles.ts";

/**
 * Takes files and folders, dropped anywhere on the page or chosen with a button. While a folder is read, it shows the
 * progress.
 */
export function DropPlace(props: {
  readonly title: ComponentChildren;
  readonly filesMax: number;
  readonly children?: ComponentChildren;
  /** @param handles - Handles to read the files again after a reload, where the browser supports them. */
  readonly onChosen: (chosen: Chosen, handles: readonly KeptHandle[] | undefined) => void;
}) {
  const { title, filesMax, onChosen } = props;
  const [over, setOver] = useState(false);
  const [reading, setReading] = useState<number | undefined>();
  const filePicker = useRef<HTMLInputElement>(null);
  const folderPicker = useRef<HTMLInputElement>(null);

  const read = (
    reader: Promise<Chosen>,
    handles?: Promise<readonly KeptHandle[] | undefined>,
  ): void => {
    setReading(0);
    void Promise.all([reader, handles]).then(([chosen, kept]) => {
      setReading(undefined);
      onChosen(chosen, kept);
    });
  };
  const pick = async (what: "files" | "folder", input: HTMLInputElement | null): Promise<void> => {
    try {
      const handles = canKeepHandles() ? await pickHandles(what) : undefined;
      if (handles === undefined) input?.click();
      else if (handles.length > 0) {
        read(fromHandles(handles, filesMax, setReading), Promise.resolve(handles));
      }
    } catch (error) {
      console.debug("the browser's own dialog failed", error);
      input?.click();
    }
  };
  useEffect(() => {
    if (folderPicker.current !== null) folderPicker.current.webkitdirectory = true;
  }, []);
  useEffect(() => {
    let depth = 0;
    // Without this, a file dropped beside the place would replace the page.
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") === true;
    const enter = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      depth += 1;
      setOver(true);
    };
    const leave = (): void => {
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const allow = (event: DragEvent): void => {
      if (hasFiles(event)) event.preventDefault();
    };
    const drop = (event: DragEvent): void => {
      depth = 0;
      setOver(false);
      if (!hasFiles(event) || event.dataTransfer === null) return;
      event.preventDefault();
      // Both read the event's data before they wait.
      const handles = droppedHandles(event.dataTransfer);
      read(fromDrop(event.dataTransfer, filesMax, setReading), handles);
    };
    addEventListener("dragenter", enter);
    addEventListener("dragleave", leave);
    addEventListener("dragover", allow);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragenter", enter);
      removeEventListener("dragleave", leave);
      removeEventListener("dragover", allow);
      removeEventListener("drop", drop);
    };
  }, [filesMax, onChosen]);

  const picked = (event: Event & { readonly currentTarget: HTMLInputElement }): void => {
    const { files } = event.currentTarget;
    if (files === null || files.length === 0) return;
    read(fromPicker(files, setReading));
    // The same files may be chosen again, after a correction.
    event.currentTarget.value = "";
  };

  return (
    <div class={over ? "drop over" : "drop"}>
      <UploadIcon />
      <strong>{over ? "Let go to add them" : title}</strong>
      {reading === undefined ? (
        props.children
      ) : (
        <p role="status">Looking at your files: {formatCount(reading)} so far</p>
      )}
      <div class="row js-only">
        <button
          type="button"
          class="btn main"
          onClick={() => void pick("files", filePicker.current)}
        >
          Choose files
        </button>
        <button type="button" class="btn" onClick={() => void pick("folder", folderPicker.current)}>
          Choose a folder
        </button>
      </div>
      <input ref={filePicker} type="file" multiple hidden aria-label="Files" onChange={picked} />
      <input ref={folderPicker} type="file" hidden aria-label="Folder" onChange={picked} />
    </div>
  );
}
