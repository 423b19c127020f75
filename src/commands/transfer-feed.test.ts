import assert from "node:assert/strict";
import { test } from "node:test";
import type { TransferView } from "../api/transfers.ts";
import type { Clock } from "../ports/clock.ts";
import { CommandError } from "./command-error.ts";
import type { ServerEvent } from "./server-events.ts";
import { type FeedNews, TransferFeed } from "./transfer-feed.ts";

/** The fields that the feed looks at, and one that changes. */
function view(id: string, down: number, label: string | null = null): TransferView {
  return { id, name: id, down, label } as unknown as TransferView;
}

function changed(...views: readonly object[]): ServerEvent {
  return { event: "transfers", data: JSON.stringify({ changed: views, removed: [] }) };
}

/** Waits of the feed take no time. */
const clock: Clock = {
  nowMs: () => 0,
  wallMs: () => 0,
  startTimer: (_ms, fire) => {
    const timer = setImmediate(fire);
    return { cancel: () => clearImmediate(timer) };
  },
};

const READY: ServerEvent = { event: "ready", data: "{}" };

interface Life {
  readonly list: readonly TransferView[];
  readonly events: readonly ServerEvent[];
}

/** A node that lives several times; between the lives nobody answers. */
function feedOf(lives: readonly (Life | undefined)[], label?: string) {
  let at = -1;
  const node = {
    async *events(): AsyncIterable<ServerEvent> {
      const life = lives[(at += 1)];
      if (!life) throw new CommandError("not-found", "No node is running.");
      yield READY;
      yield* life.events;
    },
  };
  const client = {
    async *each(): AsyncIterable<TransferView> {
      yield* lives[at]!.list;
    },
  };
  const stop = new AbortController();
  const feed = new TransferFeed(node, client, { clock, label });
  /** All news, until the lives are over. */
  const heard = async (): Promise<string[]> => {
    const told: string[] = [];
    for await (const news of feed.follow(stop.signal)) {
      told.push(wordsOf(news));
      if (news.kind === "away" && at === lives.length - 1) stop.abort();
    }
    return told;
  };
  return { feed, heard };
}

function wordsOf(news: FeedNews): string {
  if (news.kind === "away") return "away";
  const parts = news.changed.map(({ id, down }) => `${id}=${down}`);
  return [...parts, ...news.removed.map(({ id }) => `-${id}`)].join(" ");
}

test("all that is there first, then what differs: differences are put together, the same again is no news", async () => {
  const { feed, heard } = feedOf([
    {
      list: [view("a", 1), view("b", 2)],
      events: [
        changed(view("a", 1)),
        changed({ id: "b", down: 3 }, view("c", 4)),
        { event: "transfers", data: JSON.stringify({ changed: [], removed: ["a", "x"] }) },
      ],
    },
  ]);
  assert.deepEqual(await heard(), ["a=1 b=2", "b=3 c=4", "-a", "away"]);
  assert.deepEqual(feed.transfers, [view("b", 3), view("c", 4)]);
});

test("a node that ends is asked again; after that only what has become different is told", async () => {
  const { heard } = feedOf([
    { list: [view("a", 1), view("b", 2)], events: [] },
    undefined,
    { list: [view("b", 2), view("c", 3)], events: [] },
  ]);
  assert.deepEqual(await heard(), ["a=1 b=2", "away", "c=3 -a", "away"]);
});

test("with a label: others are no news, and one that loses it is gone", async () => {
  const { feed, heard } = feedOf(
    [
      {
        list: [view("a", 1, "films"), view("b", 2)],
        events: [changed({ id: "b", down: 9 }), changed({ id: "a", label: null })],
      },
    ],
    "films",
  );
  assert.deepEqual(await heard(), ["a=1", "-a", "away"]);
  assert.deepEqual(feed.transfers, []);
});

test("without a node at the beginning there is nothing to wait for", async () => {
  await assert.rejects(feedOf([undefined]).heard(), { code: "not-found" });
});
