import { useState } from "preact/hooks";
import type {
  TransferEditInput,
  TransferSettingsChange,
  TransferSettingsView,
  TransferView,
} from "../../src/api/transfers.ts";
import { TRANSFER_SETTINGS_PATH } from "../../src/api/paths.ts";
import { askHub, type Trouble, troubleOf } from "../client/hub.ts";
import { plural } from "../parts/format.ts";
import { Note } from "../parts/words.tsx";
import { Dialog } from "./dialog.tsx";
import { clockWords } from "./gauges.tsx";

const MIB = 1024 * 1024;
const DAY_NAMES = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
/** People's weeks begin on Monday. */
const WEEK = [1, 2, 3, 4, 5, 6, 0];

type Span = TransferSettingsView["alternative"]["spans"][number];

/** The limits of all transfers, the week's schedule, and the queue. */
export function LimitsDialog(props: {
  readonly settings: TransferSettingsView;
  readonly onSaved: (settings: TransferSettingsView) => void;
  readonly onClose: () => void;
}) {
  const { settings, onSaved, onClose } = props;
  const { rates, alternative, shareLimits } = settings;
  const [down, setDown] = useState(rateText(rates.down));
  const [up, setUp] = useState(rateText(rates.up));
  const [otherDown, setOtherDown] = useState(rateText(alternative.down));
  const [otherUp, setOtherUp] = useState(rateText(alternative.up));
  const [on, setOn] = useState(alternative.on);
  const [spans, setSpans] = useState<readonly Span[]>(alternative.spans);
  const [downloads, setDownloads] = useState(String(settings.downloadsMax));
  const [ratio, setRatio] = useState(
    shareLimits.ratio === undefined ? "" : String(shareLimits.ratio),
  );
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [busy, setBusy] = useState(false);

  const save = async (): Promise<void> => {
    const wrong = [down, up, otherDown, otherUp].find((text) => readRate(text) === undefined);
    if (wrong !== undefined) {
      setTrouble({
        message: `“${wrong}” is no speed.`,
        hint: "Write MiB per second, such as 2.5, or nothing for no limit.",
      });
      return;
    }
    if (spans.some(({ days }) => days.length === 0)) {
      setTrouble({ message: "A time has no day.", hint: "Choose a day for it, or remove it." });
      return;
    }
    if (!/^[0-9]{1,4}$/.test(downloads.trim())) {
      setTrouble({
        message: `“${downloads}” is no number of downloads.`,
        hint: "Write a whole number; 0 is any number.",
      });
      return;
    }
    const ratioNumber = readNumber(ratio);
    if (ratioNumber === undefined) {
      setTrouble({
        message: `“${ratio}” is no ratio.`,
        hint: "Write a number such as 2, or nothing for no end.",
      });
      return;
    }
    const { ratio: _old, ...otherShares } = shareLimits;
    const change: TransferSettingsChange = {
      rates: { down: readRate(down)!, up: readRate(up)! },
      alternative: {
        down: readRate(otherDown)!,
        up: readRate(otherUp)!,
        on,
        spans: spans.map((span) => ({ ...span, days: [...span.days] })),
      },
      downloadsMax: Number(downloads),
      shareLimits: { ...otherShares, ...(ratioNumber !== null && { ratio: ratioNumber }) },
    };
    setBusy(true);
    try {
      onSaved(await askHub<TransferSettingsView>("PATCH", TRANSFER_SETTINGS_PATH, change));
      onClose();
    } catch (error) {
      setBusy(false);
      setTrouble(troubleOf(error));
    }
  };
  const changeSpan = (index: number, change: Partial<Span>): void =>
    setSpans(spans.map((span, at) => (at === index ? { ...span, ...change } : span)));

  return (
    <Dialog title="Limits of all transfers" wide onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void save();
        }}
      >
        <Wrong trouble={trouble} />
        <div class="duo">
          <RateField
            id="limit-down"
            label="Down, MiB per second"
            text={down}
            onText={setDown}
            autofocus
          />
          <RateField id="limit-up" label="Up, MiB per second" text={up} onText={setUp} />
        </div>
        <fieldset class="stack close">
          <legend>
            <strong>Other limits at some times</strong>
          </legend>
          <div class="duo">
            <RateField
              id="other-down"
              label="Down, MiB per second"
              text={otherDown}
              onText={setOtherDown}
            />
            <RateField
              id="other-up"
              label="Up, MiB per second"
              text={otherUp}
              onText={setOtherUp}
            />
          </div>
          {spans.map((span, index) => (
            <SpanFields
              // The order is the only name that a span has.
              key={index}
              span={span}
              number={index + 1}
              onSpan={(change) => changeSpan(index, change)}
              onRemove={() => setSpans(spans.filter((_, at) => at !== index))}
            />
          ))}
          <div class="row">
            <button
              type="button"
              class="btn small"
              onClick={() =>
                setSpans([...spans, { days: [1, 2, 3, 4, 5], begin: 8 * 60, end: 18 * 60 }])
              }
            >
              Add a time
            </button>
            <small>
              In the time of the node. A time that ends before it begins goes on into the next day.
            </small>
          </div>
          <label class="tick">
            <input
              type="checkbox"
              checked={on}
              onChange={(event) => setOn(event.currentTarget.checked)}
            />
            <span>Use them now, until this is switched off</span>
          </label>
        </fieldset>
        <div class="duo">
          <div class="field">
            <label for="downloads-max">Downloads at one time</label>
            <input
              id="downloads-max"
              inputMode="numeric"
              autocomplete="off"
              value={downloads}
              onInput={(event) => setDownloads(event.currentTarget.value)}
            />
            <small>0 is any number. Stalled ones do not count.</small>
          </div>
          <div class="field">
            <label for="share-ratio">Seed until ratio</label>
            <input
              id="share-ratio"
              inputMode="decimal"
              autocomplete="off"
              placeholder="no end"
              value={ratio}
              onInput={(event) => setRatio(event.currentTarget.value)}
            />
          </div>
        </div>
        <Buttons busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  );
}

function SpanFields(props: {
  readonly span: Span;
  readonly number: number;
  readonly onSpan: (change: Partial<Span>) => void;
  readonly onRemove: () => void;
}) {
  const { span, number, onSpan, onRemove } = props;
  const toggle = (day: number): void =>
    onSpan({
      days: span.days.includes(day)
        ? span.days.filter((each) => each !== day)
        : [...span.days, day],
    });
  return (
    <fieldset class="stack tight">
      <legend class="unseen">Time {number}</legend>
      <div class="days">
        {WEEK.map((day) => (
          <label key={day} class="tick">
            <input type="checkbox" checked={span.days.includes(day)} onChange={() => toggle(day)} />
            <span>{DAY_NAMES[day]}</span>
          </label>
        ))}
      </div>
      <div class="row">
        <Clock
          label={`Time ${number} from`}
          minute={span.begin}
          onMinute={(begin) => onSpan({ begin })}
        />
        <span>to</span>
        <Clock label={`Time ${number} to`} minute={span.end} onMinute={(end) => onSpan({ end })} />
        <button
          type="button"
          class="btn small quiet"
          onClick={onRemove}
          aria-label={`Remove time ${number}`}
        >
          Remove
        </button>
      </div>
    </fieldset>
  );
}

function Clock(props: {
  readonly label: string;
  readonly minute: number;
  readonly onMinute: (minute: number) => void;
}) {
  return (
    <input
      class="clock"
      type="time"
      aria-label={props.label}
      value={clockWords(props.minute)}
      required
      onInput={(event) => {
        const [hours, minutes] = event.currentTarget.value.split(":").map(Number);
        if (hours !== undefined && minutes !== undefined) props.onMinute(hours * 60 + minutes);
      }}
    />
  );
}

/** The limits of some transfers. */
export function OwnLimitsDialog(props: {
  readonly transfers: readonly TransferView[];
  /** @returns Whether they hold now. */
  readonly onSave: (edit: TransferEditInput) => Promise<boolean>;
  readonly onClose: () => void;
}) {
  const { transfers, onSave, onClose } = props;
  const [only] = transfers;
  const isOne = transfers.length === 1 && only !== undefined;
  const [down, setDown] = useState(isOne ? rateText(only.downLimit) : "");
  const [up, setUp] = useState(isOne ? rateText(only.upLimit) : "");
  const ownRatio = isOne ? only.shareLimits?.ratio : undefined;
  const [ratio, setRatio] = useState(ownRatio === undefined ? "" : String(ownRatio));
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [busy, setBusy] = useState(false);

  const save = async (): Promise<void> => {
    const [downLimit, upLimit, ratioNumber] = [readRate(down), readRate(up), readNumber(ratio)];
    if (downLimit === undefined || upLimit === undefined || ratioNumber === undefined) {
      setTrouble({
        message: "One of these is no number.",
        hint: "Write numbers such as 2.5, or nothing for no limit.",
      });
      return;
    }
    const { ratio: _old, ...others } = (isOne ? only.shareLimits : null) ?? {};
    const shareLimits = { ...others, ...(ratioNumber !== null && { ratio: ratioNumber }) };
    setBusy(true);
    const isSaved = await onSave({
      downLimit,
      upLimit,
      shareLimits: Object.keys(shareLimits).length === 0 ? null : shareLimits,
    });
    setBusy(false);
    if (isSaved) onClose();
  };
  return (
    <Dialog
      title={isOne ? "Its limits" : `Limits of ${plural(transfers.length, "transfer")}`}
      onClose={onClose}
    >
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void save();
        }}
      >
        <Wrong trouble={trouble} />
        <div class="duo">
          <RateField
            id="own-down"
            label="Down, MiB per second"
            text={down}
            onText={setDown}
            autofocus
          />
          <RateField id="own-up" label="Up, MiB per second" text={up} onText={setUp} />
        </div>
        <div class="field">
          <label for="own-ratio">Seed until ratio</label>
          <input
            id="own-ratio"
            inputMode="decimal"
            autocomplete="off"
            placeholder="as for all"
            value={ratio}
            onInput={(event) => setRatio(event.currentTarget.value)}
          />
          <small>0 never ends; nothing is what holds for its label, or for all.</small>
        </div>
        <Buttons busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  );
}

function RateField(props: {
  readonly id: string;
  readonly label: string;
  readonly text: string;
  readonly autofocus?: boolean;
  readonly onText: (text: string) => void;
}) {
  const { id, label, text, autofocus, onText } = props;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        inputMode="decimal"
        autocomplete="off"
        placeholder="no limit"
        value={text}
        autofocus={autofocus}
        onInput={(event) => onText(event.currentTarget.value)}
      />
    </div>
  );
}

function Buttons(props: { readonly busy: boolean; readonly onClose: () => void }) {
  return (
    <div class="row">
      <button class="btn main" disabled={props.busy}>
        Save
      </button>
      <button type="button" class="btn quiet" onClick={props.onClose}>
        Cancel
      </button>
    </div>
  );
}

function Wrong({ trouble }: { readonly trouble: Trouble | null }) {
  if (trouble === null) return null;
  return (
    <Note mood="bad" title={trouble.message} alert>
      {trouble.hint !== null && <p>{trouble.hint}</p>}
    </Note>
  );
}

function rateText(bytesPerSecond: number): string {
  return bytesPerSecond === 0 ? "" : String(Math.round((bytesPerSecond / MIB) * 1_000) / 1_000);
}

/** @returns Bytes a second, 0 for no limit; `undefined` for a text that is no speed. */
function readRate(text: string): number | undefined {
  const number = readNumber(text);
  return number === undefined ? undefined : Math.round((number ?? 0) * MIB);
}

/** @returns `null` for nothing, `undefined` for a text that is no number. */
function readNumber(text: string): number | null | undefined {
  const trimmed = text.trim().replace(",", ".");
  if (trimmed === "") return null;
  return /^[0-9]{1,7}(?:\.[0-9]{1,6})?$/.test(trimmed) ? Number(trimmed) : undefined;
}
