import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { TorrentFileEntry } from "../../src/api/torrents.ts";
import { formatBytes, plural } from "../parts/format.ts";
import { DownloadIcon } from "../parts/icons.tsx";

/** Sizes of the ticked files by index, including those on other pages of the list. */
export type Ticked = ReadonlyMap<number, number>;

/**
 * The list as a form that downloads the ticked files in one archive. It needs no script. With one, the button says
 * what it will do, is disabled while nothing is ticked, and ticks survive paging and searching.
 */
export function FileChoice(props: {
  readonly zipPath: string | null;
  readonly files: readonly TorrentFileEntry[];
  /** Undefined until the first look: without a script it stays so. */
  readonly ticked: Ticked | undefined;
  readonly onTicked: (ticked: Ticked) => void;
  /** The list, with a check box called `file` beside each file. */
  readonly children: ComponentChildren;
}) {
  const { zipPath, files, ticked, onTicked } = props;
  const form = useRef<HTMLFormElement>(null);
  const boxes = (): HTMLInputElement[] => [
    ...(form.current?.querySelectorAll<HTMLInputElement>("input[type=checkbox][name=file]") ?? []),
  ];
  const look = (): void => {
    const now = new Map(ticked);
    const sizes = new Map(files.map(({ index, size }) => [index, size]));
    for (const { value, checked } of boxes()) {
      const index = Number(value);
      if (checked) now.set(index, sizes.get(index) ?? 0);
      else now.delete(index);
    }
    onTicked(now);
  };
  // A browser may have restored the ticks of an earlier visit before the first look; then our list decides.
  useLayoutEffect(() => {
    for (const box of boxes()) if (ticked?.has(Number(box.value)) === true) box.checked = true;
    look();
  }, [files]);
  if (zipPath === null) return <>{props.children}</>;
  const count = ticked?.size ?? 0;
  const bytes = [...(ticked?.values() ?? [])].reduce((sum, size) => sum + size, 0);
  const here = new Set(files.map(({ index }) => index));
  const elsewhere = [...(ticked?.keys() ?? [])].filter((index) => !here.has(index));
  const untick = (): void => {
    for (const box of boxes()) box.checked = false;
    onTicked(new Map());
  };
  return (
    <form ref={form} class="stack close" method="get" action={zipPath} onChange={look}>
      {props.children}
      {rangesOf(elsewhere).map((range) => (
        <input key={range} type="hidden" name="file" value={range} />
      ))}
      <div class="row choice">
        <button class="btn" disabled={ticked !== undefined && count === 0}>
          <DownloadIcon />{" "}
          {count === 0
            ? "Download the ticked files"
            : `Download ${plural(count, "file")}, ${formatBytes(bytes)}`}
        </button>
        <span class="small">
          {count === 0 ? "Tick files to take some of them in one .zip." : "In one .zip."}
          {elsewhere.length > 0 && ` ${plural(elsewhere.length, "file")} of them not shown here.`}
        </span>
        {count > 0 && (
          <button type="button" class="btn quiet" onClick={untick}>
            Untick all
          </button>
        )}
      </div>
    </form>
  );
}

/** @returns `["3", "10-19"]`, as the address of the archive takes them. */
export function rangesOf(indexes: readonly number[]): string[] {
  const ranges: { from: number; to: number }[] = [];
  for (const index of indexes.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to + 1 === index) last.to = index;
    else ranges.push({ from: index, to: index });
  }
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
}
