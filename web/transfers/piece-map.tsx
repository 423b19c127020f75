import { useEffect, useMemo, useRef } from "preact/hooks";
import type { TransferPiecesView } from "../../src/api/transfers.ts";
import { transferPath } from "../../src/api/paths.ts";
import { formatCount, formatPieceSize, plural } from "../parts/format.ts";
import { countHere, pieceColumns } from "./piece-columns.ts";
import { useAsked } from "./use-asked.ts";

const ASK_EVERY_MS = 5_000;
const HATCH_PIXELS = 6;

/** Which pieces are here and on their way, and how many copies the peers have. */
export function PieceMap({ id }: { readonly id: string }) {
  const { value, trouble } = useAsked<TransferPiecesView>(
    `${transferPath(id)}/pieces`,
    ASK_EVERY_MS,
  );
  const have = useMemo(() => bytesOf(value?.have ?? null), [value?.have]);
  if (value === undefined) {
    return <p class="small">{trouble === null ? "Looking at the pieces." : trouble.message}</p>;
  }
  const { pieceCount, pieceLength, started, copies, rarest } = value;
  if (pieceCount === 0) {
    return <p class="small">The pieces are known once the details of the link are found.</p>;
  }
  const here = countHere(have);
  const missing = pieceCount - here - started.length;
  const words = `Of ${formatCount(pieceCount)} pieces ${formatCount(here)} are here, ${formatCount(started.length)} on their way, ${formatCount(missing)} missing`;
  return (
    <div class="stack">
      <div class="stack tight">
        <Strip pieceCount={pieceCount} have={have} started={started} words={words} />
        <ul class="legend">
          <li>
            <svg viewBox="0 0 20 14" aria-hidden="true" class="key here">
              <rect width="20" height="14" />
            </svg>
            <span>
              <b>{formatCount(here)}</b> here
            </span>
          </li>
          {started.length > 0 && (
            <li>
              <svg viewBox="0 0 20 14" aria-hidden="true" class="key started">
                <path d="M-2 12 10 0M4 15 19 0M12 15 24 3" />
              </svg>
              <span>
                <b>{formatCount(started.length)}</b> on their way
              </span>
            </li>
          )}
          <li>
            <svg viewBox="0 0 20 14" aria-hidden="true" class="key missing">
              <rect width="20" height="14" />
            </svg>
            <span>
              <b>{formatCount(missing)}</b> missing
            </span>
          </li>
          <li>
            {plural(pieceCount, "piece")} of {formatPieceSize(pieceLength)}
          </li>
        </ul>
      </div>
      {copies.length > 0 && (
        <div class="stack tight">
          <h3>Copies among the peers</h3>
          <Copies copies={copies} />
          <p class="small">{rarestWords(rarest, here === pieceCount)}</p>
        </div>
      )}
    </div>
  );
}

function bytesOf(base64: string | null): Uint8Array | null {
  if (base64 === null) return null;
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function rarestWords(rarest: TransferPiecesView["rarest"], isWhole: boolean): string {
  if (rarest === null) return "No peer is connected.";
  const { copies, first, last } = rarest;
  const which =
    first === last
      ? `piece ${formatCount(first)}`
      : `pieces ${formatCount(first)} to ${formatCount(last)}`;
  if (copies === 0 && !isWhole) {
    return `The taller, the more copies. Nobody connected has ${which}.`;
  }
  const verb = first === last ? "is" : "are";
  const end = isWhole ? "." : ", and asked for first.";
  return `The taller, the more copies. Each piece has at least ${formatCount(copies)}; the rarest ${verb} ${which}${end}`;
}

/** A canvas: a hundred thousand pieces are drawn in some milliseconds. */
function Strip(props: {
  readonly pieceCount: number;
  readonly have: Uint8Array | null;
  readonly started: readonly number[];
  readonly words: string;
}) {
  const { pieceCount, have, started, words } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const draw = (): void => {
      if (canvas.current) drawPieces(canvas.current, { pieceCount, have, started });
    };
    draw();
    const schemes = matchMedia("(prefers-color-scheme: dark)");
    schemes.addEventListener("change", draw);
    // The switch of the page changes an attribute, or only a radio button.
    addEventListener("change", draw);
    addEventListener("resize", draw);
    return () => {
      schemes.removeEventListener("change", draw);
      removeEventListener("change", draw);
      removeEventListener("resize", draw);
    };
  }, [pieceCount, have, started]);
  return <canvas ref={canvas} class="strip" role="img" aria-label={words} />;
}

/** Draws the map, and measures how long that takes (`performance.measure`, "piece map"). */
function drawPieces(
  canvas: HTMLCanvasElement,
  map: {
    readonly pieceCount: number;
    readonly have: Uint8Array | null;
    readonly started: readonly number[];
  },
): void {
  const began = performance.now();
  const style = getComputedStyle(canvas);
  const width = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
  const height = Math.max(1, Math.round(canvas.clientHeight * devicePixelRatio));
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (context === null) return;
  const green = style.getPropertyValue("color");
  const { here, started } = pieceColumns(map.pieceCount, map.have, map.started, width);
  const columnPixels = width / here.length;
  const hatch = hatchOf(context, green);
  for (let column = 0; column < here.length; column += 1) {
    const left = Math.floor(column * columnPixels);
    const right = Math.ceil((column + 1) * columnPixels);
    const part = here[column]!;
    if (part > 0) {
      // What is not whole is paler, and never invisible.
      context.globalAlpha = part === 1 ? 1 : 0.25 + part / 2;
      context.fillStyle = green;
      context.fillRect(left, 0, right - left, height);
    }
    if (started[column] === 1 && part < 1) {
      context.globalAlpha = 1;
      context.fillStyle = hatch;
      context.fillRect(left, 0, Math.max(2, right - left), height);
    }
  }
  performance.measure("piece map", { start: began });
}

function hatchOf(context: CanvasRenderingContext2D, colour: string): CanvasPattern | string {
  const tile = document.createElement("canvas");
  tile.width = HATCH_PIXELS;
  tile.height = HATCH_PIXELS;
  const brush = tile.getContext("2d");
  if (brush === null) return colour;
  brush.strokeStyle = colour;
  brush.lineWidth = 2;
  brush.beginPath();
  for (const shift of [-HATCH_PIXELS, 0, HATCH_PIXELS]) {
    brush.moveTo(shift, HATCH_PIXELS);
    brush.lineTo(shift + HATCH_PIXELS, 0);
  }
  brush.stroke();
  return context.createPattern(tile, "repeat") ?? colour;
}

const COPIES_HEIGHT = 30;

function Copies({ copies }: { readonly copies: readonly number[] }) {
  const most = Math.max(1, ...copies);
  const bars = copies
    .map((count, index) => {
      const tall = (count / most) * COPIES_HEIGHT;
      return count === 0 ? "" : `M${index * 4} ${(COPIES_HEIGHT - tall).toFixed(1)}h3.2V30h-3.2z`;
    })
    .join("");
  return (
    <svg
      class="strip tall"
      viewBox={`0 0 ${copies.length * 4} ${COPIES_HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path d={bars} />
    </svg>
  );
}
