import "uplot/dist/uPlot.min.css";
import uPlot from "uplot";
import type { SpeedGraphView } from "../../src/api/transfers.ts";

const MIB = 1024 * 1024;
const AXIS_FONT = "13px system-ui, sans-serif";

/** Draws a graph of speeds. It is loaded only where one is shown. */
export class SpeedPlot {
  readonly #place: HTMLElement;
  readonly #plot: uPlot;
  readonly #observer: ResizeObserver;

  constructor(place: HTMLElement) {
    this.#place = place;
    const colour = (name: string) => (): string =>
      getComputedStyle(place).getPropertyValue(name).trim();
    const axis = {
      stroke: colour("--ink-2"),
      font: AXIS_FONT,
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
    };
    this.#plot = new uPlot(
      {
        ...sizeOf(place),
        cursor: { show: false },
        padding: [8, 8, 0, 0],
        legend: { show: false },
        scales: { y: { range: (_plot, _least, most) => [0, Math.max(0.1, (most ?? 0) * 1.1)] } },
        axes: [
          {
            ...axis,
            grid: { show: false },
            values: (_plot, times) => times.map(clockWords),
            space: 90,
            size: 28,
          },
          {
            ...axis,
            size: 52,
            space: 36,
            values: (_plot, values) =>
              values.map((value, index) => speedWords(value, index === values.length - 1)),
          },
        ],
        series: [
          {},
          {
            stroke: colour("--green"),
            fill: colour("--green-soft"),
            width: 2,
            points: { show: false },
          },
          { stroke: colour("--ink-2"), width: 2, dash: [5, 4], points: { show: false } },
        ],
      },
      [[], [], []],
      place,
    );
    this.#observer = new ResizeObserver(() => this.#plot.setSize(sizeOf(this.#place)));
    this.#observer.observe(place);
  }

  show({ slotSeconds, endsAt, down, up }: SpeedGraphView): void {
    const end = Date.parse(endsAt) / 1_000;
    const times = down.map((_, index) => end - (down.length - 1 - index) * slotSeconds);
    this.#plot.setData([times, down.map((rate) => rate / MIB), up.map((rate) => rate / MIB)]);
  }

  close(): void {
    this.#observer.disconnect();
    this.#plot.destroy();
  }
}

function sizeOf(place: HTMLElement): { readonly width: number; readonly height: number } {
  return { width: Math.max(1, place.clientWidth), height: Math.max(1, place.clientHeight) };
}

function clockWords(seconds: number): string {
  return new Date(seconds * 1_000).toTimeString().slice(0, 5);
}

/** The unit stands at the highest figure only. */
function speedWords(value: number, isHighest: boolean): string {
  const figure = value >= 10 ? String(Math.round(value)) : String(Math.round(value * 100) / 100);
  return isHighest ? `${figure} MiB` : figure;
}
