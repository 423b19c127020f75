import assert from "node:assert/strict";
import type { NodeStatus } from "../../src/api/node.ts";
import { ControlApi } from "../../src/hub/control-api.ts";
import { MediaLinks } from "../../src/hub/media-links.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { Turns } from "../../src/publish/turns.ts";
import type { NodeRun, TransfersWorld } from "./transfers-world.ts";

const CONTEXT = { remoteAddress: "", localAddress: undefined };
/** The headers of a body that is a .torrent file. */
export const TORRENT = { "content-type": "application/x-bittorrent" };

/** The control API of a node, as its owner calls it. */
export class TransferCalls {
  readonly #world: TransfersWorld;
  readonly #api: ControlApi;

  constructor(world: TransfersWorld, { machine, transfers }: NodeRun) {
    const { clock, random } = machine.ports;
    this.#world = world;
    this.#api = new ControlApi({
      node: (): NodeStatus => assert.fail("nobody asks for it"),
      reload: () => assert.fail("nobody asks for it"),
      transfers: {
        service: transfers,
        openUrl: () => Promise.reject(new Error("no URL is named")),
        disks: async (folders) => [
          { name: "DATA", folders: [...folders], freeBytes: 1e9, totalBytes: 4e9 },
        ],
        clock,
        links: new MediaLinks(random, clock),
        watched: () => [],
      },
      clock,
      random,
      turns: new Turns(clock),
      log: SILENT_LOG,
      isDiskFull: () => false,
    });
  }

  send(method: string, path: string, body?: unknown, headers = {}): Promise<Response> {
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: {
        ...(!(body instanceof Uint8Array) && { "content-type": "application/json" }),
        ...headers,
      },
      body:
        body === undefined
          ? null
          : body instanceof Uint8Array
            ? body.slice()
            : JSON.stringify(body),
    });
    return this.#world.run(this.#api.handle(request, CONTEXT));
  }

  async json<Answer>(method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
    const answer = await this.send(method, path, body, headers);
    const text = await answer.text();
    assert.ok(answer.ok, `${answer.status} ${text}`);
    return JSON.parse(text) as Answer;
  }

  async refusal(method: string, path: string, body?: unknown): Promise<[number, string]> {
    const answer = await this.send(method, path, body);
    const { error } = (await answer.json()) as { error: { code: string } };
    return [answer.status, error.code];
  }
}
