import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { TorrentFileEntry } from "../../src/api/torrents.ts";
import { formatBytes, plural } from "../parts/format.ts";
import { DownloadIcon } from "../parts/icons.tsx";

/**
 * The list as a form whose ticked files come in one archive. It needs no script; with one the button says what it
 * will do, and does nothing while nothing is ticked.
 */
export function FileChoice(props: {
  readonly zipPath: string | null;
  readonly files: readonly TorrentFileEntry[];
  /** The list, with a check box called `file` beside each file. */
  readonly children: ComponentChildren;
}) {
  const { zipPath, files } = props;
  const form = useRef<HTMLFormElement>(null);
  const [chosen, setChosen] = useState<ReadonlySet<number>>();
  const look = (): void => {
    if (form.current === null) return;
    setChosen(new Set(new FormData(form.current).getAll("file").map(Number)));
  };
  // A browser may have kept the ticks of an earlier visit; other files come with another page of the list.
  useEffect(look, [files]);
  if (zipPath === null) return <>{props.children}</>;
  const taken = files.filter((file) => chosen?.has(file.index));
  const words =
    chosen === undefined || taken.length === 0
      ? "Download what is ticked"
      : `Download ${plural(taken.length, "file")}, ${formatBytes(taken.reduce((sum, { size }) => sum + size, 0))}`;
  return (
    <form ref={form} class="stack close" method="get" action={zipPath} onChange={look}>
      {props.children}
      <div class="row choice">
        <button class="btn" disabled={chosen !== undefined && taken.length === 0}>
          <DownloadIcon /> {words}
        </button>
        <span class="small">
          {taken.length > 0 ? "In one .zip." : "Tick files to take some of them in one .zip."}
        </span>
      </div>
    </form>
  );
}
