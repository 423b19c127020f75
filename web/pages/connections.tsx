import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { FormProblem } from "../../src/api/form-problem.ts";
import type { ConnectionsPage } from "../../src/api/pages.ts";
import { CONNECTIONS_PAGE_PATH } from "../../src/api/paths.ts";
import type { ReachPart, ReachParts, ReachSetting, ReachState } from "../../src/api/reach.ts";
import { Problem } from "../parts/form.tsx";
import { formatCount, plural } from "../parts/format.ts";
import { PostForm } from "../parts/post-form.tsx";
import { type Mood, Note, Outside, State, When } from "../parts/words.tsx";

/** How peers find and reach the hub, and what its administrators may change about that. */
export function ConnectionsView(props: { readonly model: ConnectionsPage }) {
  const { reach, problem, saved, typed } = props.model;
  // A reload should show the page as it is, and not what was just saved.
  useEffect(() => {
    if (location.pathname === CONNECTIONS_PAGE_PATH)
      history.replaceState(null, "", CONNECTIONS_PAGE_PATH);
  }, []);
  return (
    <div class="stack">
      <div class="stack tight">
        <h1>Connections</h1>
        <p class="small">How BitTorrent programs find this hub and connect to it.</p>
      </div>
      <Problem problem={problem} />
      {saved && <Saved settings={reach.settings} />}
      <Troubles settings={reach.settings} />
      <Parts parts={reach.parts} />
      <Settings settings={reach.settings} typed={typed} problem={problem} />
    </div>
  );
}

function Saved(props: { readonly settings: readonly ReachSetting[] }) {
  const waiting = props.settings.filter(({ waitsForRestart }) => waitsForRestart);
  return (
    <Note mood={waiting.length === 0 ? "good" : "warn"} title="Saved" alert>
      <p>
        {waiting.length === 0
          ? "The settings below hold now."
          : `After a restart of the hub: ${waiting.map(({ label }) => label).join(", ")}.`}
      </p>
    </Note>
  );
}

function Troubles(props: { readonly settings: readonly ReachSetting[] }) {
  const troubled = props.settings.filter(({ trouble }) => trouble !== null);
  if (troubled.length === 0) return null;
  return (
    <Note mood="bad" title="Not everything below is carried out">
      <ul>
        {troubled.map(({ key, label, trouble }) => (
          <li key={key}>
            {label}: <Outside text={trouble!} />
          </li>
        ))}
      </ul>
    </Note>
  );
}

/** In the order in which a person looks for a fault. */
const partNames: readonly (readonly [keyof ReachParts, name: string])[] = [
  ["port", "Port for peers"],
  ["router", "Router"],
  ["transports", "Transports"],
  ["encryption", "Encryption"],
  ["dht", "DHT"],
  ["pex", "Peer exchange"],
  ["lsd", "Neighbours"],
  ["webSeeds", "Web seeds"],
  ["superSeeding", "Super-seeding"],
  ["interface", "Network interface"],
  ["proxy", "Proxy"],
  ["ipFilters", "IP filters"],
];

const stateWords: Readonly<Record<ReachState, readonly [mood: Mood, word: string]>> = {
  works: ["good", "Works"],
  waits: ["wait", "Not known yet"],
  warns: ["warn", "Look at it"],
  fails: ["bad", "Does not work"],
  off: ["wait", "Off"],
};

function Parts({ parts }: { readonly parts: ReachParts }) {
  return (
    <section class="stack close" aria-labelledby="parts-title">
      <h2 id="parts-title">How it is reached</h2>
      <ul class="list">
        {partNames.map(([key, name]) => {
          const part = parts[key];
          return part === undefined ? null : (
            <Part key={key} name={name} part={part}>
              {key === "port" && <PortFigures port={parts.port} />}
              {key === "transports" && <TransportFigures transports={parts.transports} />}
              {key === "encryption" && <EncryptionFigures encryption={parts.encryption} />}
            </Part>
          );
        })}
      </ul>
    </section>
  );
}

function Part(props: {
  readonly name: string;
  readonly part: ReachPart;
  readonly children?: ComponentChildren;
}) {
  const { name, part } = props;
  const [mood, word] = stateWords[part.state];
  return (
    <li class="part">
      <div class="row">
        <strong>{name}</strong>
        <State mood={mood}>{word}</State>
      </div>
      <p>
        <Outside text={part.words} />
        {part.remedy !== null && (
          <>
            {" "}
            <Outside text={part.remedy} />
          </>
        )}
      </p>
      {props.children}
    </li>
  );
}

function PortFigures({ port }: { readonly port: ReachParts["port"] }) {
  if (port === undefined) return null;
  return (
    <div class="meta">
      <span>
        {formatCount(port.connections)} of {plural(port.connectionsMax, "connection")}
      </span>
      <span>
        last one from outside: <When at={port.reachedAt} never="none since the start" />
      </span>
    </div>
  );
}

function TransportFigures({ transports }: { readonly transports: ReachParts["transports"] }) {
  const ways = [
    ["TCP", transports?.tcp],
    ["uTP", transports?.utp],
  ] as const;
  return (
    <div class="meta">
      {ways.map(([name, sides]) =>
        sides === undefined ? null : (
          <span key={name}>
            {name}: {formatCount(sides.incoming)} came to us, we called{" "}
            {formatCount(sides.outgoing)}
          </span>
        ),
      )}
    </div>
  );
}

function EncryptionFigures({ encryption }: { readonly encryption: ReachParts["encryption"] }) {
  if (encryption === undefined) return null;
  return (
    <div class="meta">
      <span>{formatCount(encryption.rc4)} encrypted</span>
      <span>{formatCount(encryption.header)} with an encrypted start</span>
      <span>{formatCount(encryption.plain)} plain</span>
    </div>
  );
}

const groupTitles: readonly (readonly [ReachSetting["group"], title: string])[] = [
  ["ways", "Ways to peers"],
  ["finding", "Finding peers"],
  ["router", "Router"],
  ["limits", "Limits"],
];

function Settings(props: {
  readonly settings: readonly ReachSetting[];
  readonly typed: ConnectionsPage["typed"];
  readonly problem: FormProblem | null;
}) {
  const { settings, typed, problem } = props;
  return (
    <PostForm class="stack" action={CONNECTIONS_PAGE_PATH}>
      <div class="columns">
        {groupTitles.map(([group, title]) => {
          const inGroup = settings.filter((setting) => setting.group === group);
          if (inGroup.length === 0) return null;
          return (
            <section key={group} class="card stack" aria-labelledby={`group-${group}`}>
              <h2 id={`group-${group}`}>{title}</h2>
              {inGroup.map((setting) => (
                <Setting
                  key={setting.key}
                  setting={setting}
                  typed={typed?.[setting.key]}
                  wrong={problem?.field === setting.key}
                />
              ))}
            </section>
          );
        })}
      </div>
      <div class="row">
        <button class="btn main">Save</button>
      </div>
    </PostForm>
  );
}

interface SettingProps {
  readonly setting: ReachSetting;
  /** The text of a form that came back. */
  readonly typed: string | undefined;
  readonly wrong: boolean;
}

function Setting(props: SettingProps) {
  const { setting } = props;
  const id = idOf(setting);
  if (setting.control.kind === "switch" && setting.default !== null) {
    return (
      <div class="field">
        <Switch {...props} />
        <Help setting={setting} />
      </div>
    );
  }
  return (
    <div class="field">
      <label for={id}>{labelOf(setting)}</label>
      <Input {...props} />
      <Help setting={setting} />
    </div>
  );
}

/** The hidden field says "off" for a box that is not ticked, which browsers do not send. */
function Switch({ setting, typed, wrong }: SettingProps) {
  const isOn = typed === undefined ? setting.value === true : typed === "on";
  return (
    <label class="tick">
      {isOpen(setting) && <input type="hidden" name={setting.key} value="off" />}
      <input type="checkbox" {...shared(setting, wrong)} value="on" defaultChecked={isOn} />
      <span>{setting.label}</span>
    </label>
  );
}

function Input({ setting, typed, wrong }: SettingProps) {
  const { control } = setting;
  const text = typed ?? textOf(setting);
  const attributes = shared(setting, wrong);
  switch (control.kind) {
    case "choice":
    case "switch":
      return (
        <select {...attributes}>
          {(control.kind === "choice" ? control.choices : switchChoices).map(({ value, label }) => (
            <option key={value} value={value} selected={value === text}>
              {label}
            </option>
          ))}
        </select>
      );
    case "list":
      return (
        <textarea {...attributes} defaultValue={text} spellcheck={false} autocapitalize="none" />
      );
    case "rate":
      return (
        <input
          {...attributes}
          inputMode="decimal"
          autocomplete="off"
          placeholder="no limit"
          defaultValue={text}
        />
      );
    case "count":
      return <input {...attributes} inputMode="numeric" autocomplete="off" defaultValue={text} />;
    default:
      return (
        <input
          {...attributes}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          defaultValue={text}
        />
      );
  }
}

/** Of a switch without a default. */
const switchChoices = [
  { value: "", label: "Automatic" },
  { value: "on", label: "On" },
  { value: "off", label: "Off" },
];

function shared(setting: ReachSetting, wrong: boolean) {
  const id = idOf(setting);
  return {
    id,
    name: setting.key,
    disabled: !isOpen(setting),
    "aria-invalid": wrong ? ("true" as const) : undefined,
    "aria-describedby": wrong ? `${id}-help problem` : `${id}-help`,
  };
}

const givers: Readonly<Record<ReachSetting["origin"], string | null>> = {
  default: null,
  page: null,
  file: "Set in the configuration file.",
  variable: "Set by an environment variable.",
  "command-line": "Set by a flag of the command line.",
};

function Help({ setting }: { readonly setting: ReachSetting }) {
  const giver = givers[setting.origin];
  return (
    <small id={`${idOf(setting)}-help`}>
      {setting.help} {giver ?? (!setting.atOnce && "Takes effect when the hub restarts.")}
      {setting.waitsForRestart && (
        <>
          {" "}
          <strong>It waits for a restart.</strong>
        </>
      )}
    </small>
  );
}

/** Whether the page may change it. */
function isOpen({ origin }: ReachSetting): boolean {
  return origin === "default" || origin === "page";
}

function idOf({ key }: ReachSetting): string {
  return `setting-${key.replaceAll(".", "-")}`;
}

function labelOf({ label, control }: ReachSetting): string {
  return control.kind === "rate" ? `${label}, KiB per second` : label;
}

const kib = 1024;

function textOf({ control, value }: ReachSetting): string {
  if (value === null) return "";
  if (Array.isArray(value)) return value.join("\n");
  if (typeof value === "boolean") return value ? "on" : "off";
  if (control.kind !== "rate") return String(value);
  return value === 0 ? "" : String(Math.round((Number(value) / kib) * 1000) / 1000);
}
