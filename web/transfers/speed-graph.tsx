import { useEffect, useRef, useState } from "preact/hooks";
import type { SpeedGraphView, SpeedSpanView } from "../../src/api/transfers.ts";
import { formatSpeed } from "../parts/format.ts";
import type { SpeedPlot } from "./speed-plot.ts";
import { useAsked } from "./use-asked.ts";

const SPANS: readonly (readonly [SpeedSpanView, word: string, inWords: string])[] = [
  ["5m", "5 min", "5 minutes"],
  ["1h", "1 h", "hour"],
  ["24h", "24 h", "24 hours"],
];

/** How fast it was: a line for down, dashes for up, and the same in words. */
export function SpeedGraph(props: {
  /** Of the API, without a query. */
  readonly path: string;
  /** Bytes a second now. */
  readonly down: number;
  readonly up: number;
}) {
  const { path, down, up } = props;
  const [span, setSpan] = useState<SpeedSpanView>("5m");
  const { value } = useAsked<SpeedGraphView>(
    `${path}?span=${span}`,
    span === "5m" ? 5_000 : 30_000,
  );
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<SpeedPlot | undefined>(undefined);
  const shown = useRef(value);
  shown.current = value;
  useEffect(() => {
    let isLeft = false;
    const load = async (): Promise<void> => {
      const { SpeedPlot } = await import("./speed-plot.ts");
      if (isLeft || place.current === null) return;
      plot.current = new SpeedPlot(place.current);
      if (shown.current) plot.current.show(shown.current);
    };
    load().catch((error: unknown) => console.error("the graph could not be loaded", error));
    return () => {
      isLeft = true;
      plot.current?.close();
      plot.current = undefined;
    };
  }, []);
  useEffect(() => {
    if (value) plot.current?.show(value);
  }, [value]);
  const highest = {
    down: Math.max(down, ...(value?.down ?? [])),
    up: Math.max(up, ...(value?.up ?? [])),
  };
  const inWords = SPANS.find(([each]) => each === span)![2];
  const label = `Speed in the last ${inWords}: down ${formatSpeed(down)}, highest ${formatSpeed(highest.down)}; up ${formatSpeed(up)}, highest ${formatSpeed(highest.up)}`;
  return (
    <section class="card stack close" aria-labelledby="speed-title">
      <div class="row apart">
        <h2 id="speed-title">Speed</h2>
        <div class="seg js-only" role="group" aria-label="Time shown">
          {SPANS.map(([each, word]) => (
            <button
              key={each}
              type="button"
              aria-pressed={span === each}
              onClick={() => setSpan(each)}
            >
              {word}
            </button>
          ))}
        </div>
      </div>
      <div ref={place} class="plot js-only" role="img" aria-label={label} />
      <ul class="legend">
        <li>
          <svg viewBox="0 0 20 14" aria-hidden="true" class="key line">
            <path d="M0 7h20" />
          </svg>
          <span>
            Down <b>{formatSpeed(down)}</b>, highest {formatSpeed(highest.down)}
          </span>
        </li>
        <li>
          <svg viewBox="0 0 20 14" aria-hidden="true" class="key dashes">
            <path d="M0 7h20" />
          </svg>
          <span>
            Up <b>{formatSpeed(up)}</b>, highest {formatSpeed(highest.up)}
          </span>
        </li>
      </ul>
    </section>
  );
}
