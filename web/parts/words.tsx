import type { ComponentChildren } from "preact";
import {
  cutMiddle,
  formatAgo,
  formatBytes,
  formatExactBytes,
  formatUtc,
  visible,
} from "./format.ts";

/** Text from outside: shown as text, in its own direction, cut in the middle when long. */
export function Outside(props: { readonly text: string; readonly charactersMax?: number }) {
  const text = visible(props.text);
  return <bdi>{cutMiddle(text, props.charactersMax ?? Infinity)}</bdi>;
}

/** A size people can read, with the exact one in the tooltip. */
export function Size(props: { readonly bytes: number; readonly class?: string }) {
  return (
    <span class={props.class ?? "num"} title={formatExactBytes(props.bytes)}>
      {formatBytes(props.bytes)}
    </span>
  );
}

/**
 * How long ago, with the exact time in the tooltip.
 *
 * @param props.at - ISO 8601, or null when it never happened.
 */
export function When(props: { readonly at: string | null; readonly never?: string }) {
  if (props.at === null) return <span>{props.never ?? "never"}</span>;
  const atMs = Date.parse(props.at);
  return (
    <time datetime={props.at} title={formatUtc(atMs)}>
      {formatAgo(atMs, Date.now())}
    </time>
  );
}

/** `good` works, `warn` works with less, `bad` needs attention, `wait` is in progress, `down` and `up` move, `off` is held by a person. */
export type Mood = "good" | "warn" | "bad" | "wait" | "down" | "up" | "off";

/** A sign, a word, a colour. */
export function State(props: { readonly mood: Mood; readonly children: ComponentChildren }) {
  return (
    <span class={`state ${props.mood}`}>
      <span>{props.children}</span>
    </span>
  );
}

/** A state with the sentence that explains it. */
export function Note(props: {
  readonly mood: Mood;
  readonly title: ComponentChildren;
  readonly children?: ComponentChildren;
  /** Set when it appears while somebody is looking: a screen reader reads it at once. */
  readonly alert?: boolean;
  readonly id?: string;
}) {
  return (
    <div class={`note ${props.mood}`} role={props.alert ? "alert" : undefined} id={props.id}>
      <State mood={props.mood}>{props.title}</State>
      {props.children}
    </div>
  );
}
