import type {
  TransferSettingsView,
  TransferStatus,
  TransferView,
} from "../../src/api/transfers.ts";
import { formatBytes, formatSpeed } from "../parts/format.ts";
import { Outside, State } from "../parts/words.tsx";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/** A disk with less than this is nearly full. */
const LOW_BYTES = 2 * 1024 ** 3;
const DISKS_MAX = 4;

/** The figures of the whole: rates with their limits, and disks. */
export function Gauges(props: {
  readonly all: readonly TransferView[];
  readonly status: TransferStatus;
  readonly settings: TransferSettingsView;
  /** Opens the limits; absent without a script. */
  readonly onChange: () => void;
}) {
  const { all, status, settings, onChange } = props;
  const sum = (key: "down" | "up"): number =>
    all.reduce((total, transfer) => total + transfer[key], 0);
  return (
    <dl class="gauges">
      <div>
        <dt>Down</dt>
        <dd>
          <b>{formatSpeed(sum("down"))}</b>
          {limitWords(status, settings, "down")}{" "}
          <button type="button" class="link js-only" onClick={onChange}>
            Limits
          </button>
        </dd>
      </div>
      <div>
        <dt>Up</dt>
        <dd>
          <b>{formatSpeed(sum("up"))}</b>
          {limitWords(status, settings, "up")}
        </dd>
      </div>
      {status.disks.slice(0, DISKS_MAX).map((disk) => (
        <DiskGauge key={disk.folders[0]} disk={disk} />
      ))}
    </dl>
  );
}

function DiskGauge({ disk }: { readonly disk: TransferStatus["disks"][number] }) {
  const { name, freeBytes, totalBytes, folders } = disk;
  const isLow = freeBytes < LOW_BYTES;
  const used = totalBytes === 0 ? 0 : Math.floor((1 - freeBytes / totalBytes) * 1_000) / 10;
  const shown = name === "/" ? "of the system" : name;
  return (
    <div title={folders.join("\n")}>
      <dt>
        Disk <Outside text={shown} charactersMax={40} />
      </dt>
      <dd>
        <b>{formatBytes(freeBytes)} free</b>
        <progress
          class={isLow ? "thin bad" : "thin"}
          value={used}
          max={100}
          aria-label={`${shown} is full to ${used} %`}
        />
        {isLow ? <State mood="bad">Almost full</State> : `of ${formatBytes(totalBytes)}`}
      </dd>
    </div>
  );
}

/** "No limit", "Limit 5.0 MiB/s until 22:00". */
function limitWords(
  { rates }: TransferStatus,
  settings: TransferSettingsView,
  key: "down" | "up",
): string {
  const limit = rates[key];
  const now = limit === 0 ? "No limit" : `Limit ${formatSpeed(limit)}`;
  const other = rates.alternative ? settings.rates[key] : settings.alternative[key];
  // Without a difference the moment says nothing.
  if (rates.until === null || other === limit) return now;
  return `${now} until ${momentWords(rates.until)}`;
}

export function clockWords(minute: number): string {
  const pad = (part: number): string => String(part).padStart(2, "0");
  return `${pad(Math.floor(minute / 60) % 24)}:${pad(minute % 60)}`;
}

function momentWords({ day, minute }: { readonly day: number; readonly minute: number }): string {
  const today = new Date().getDay();
  const clock = clockWords(minute);
  if (day === today) return clock;
  return day === (today + 1) % 7 ? `tomorrow ${clock}` : `${DAYS[day]} ${clock}`;
}
