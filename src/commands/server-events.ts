/** One server-sent event. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/**
 * Reads server-sent events: lines `event` and `data` up to an empty one. Comments and other fields are left out, as
 * the HTML standard has it (9.2.6).
 *
 * @param textMax - Characters of one event.
 * @throws {RangeError} (rejects) When an event is longer.
 */
export async function* serverEvents(
  chunks: AsyncIterable<Uint8Array>,
  textMax: number,
): AsyncIterable<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split("\n\n");
    rest = blocks.pop()!;
    if (rest.length > textMax) throw new RangeError(`an event has more than ${textMax} characters`);
    for (const block of blocks) {
      const event = eventOf(block);
      if (event) yield event;
    }
  }
}

/** @returns Nothing for a block without data, such as a comment. */
function eventOf(block: string): ServerEvent | undefined {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    const [name, value] = [line.slice(0, at), line.slice(at + 1).replace(/^ /, "")];
    if (name === "event") event = value;
    if (name === "data") data.push(value);
  }
  return data.length === 0 ? undefined : { event, data: data.join("\n") };
}
