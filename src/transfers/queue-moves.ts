import type { QueuePlace } from "../store/transfers.ts";

/** Where transfers go in the queue, in their order: to an end, one place on, or right before another one. */
export type QueueMove = "first" | "last" | "up" | "down" | { readonly before: string };

/**
 * The order of the queue after a move.
 *
 * @param queue - All unfinished transfers in their order.
 * @param ids - The ones that move; others than those of the queue are left out.
 * @returns The places that change, which are those of the queue in another order.
 */
export function movedPlaces(
  queue: readonly QueuePlace[],
  ids: readonly string[],
  to: QueueMove,
): QueuePlace[] {
  const wanted = new Set(ids);
  const order = queue.map(({ id }) => id);
  const moved = reordered(order, wanted, to);
  const positions = increasing(queue.map(({ position }) => position));
  const before = new Map(queue.map(({ id, position }) => [id, position]));
  return moved
    .map((id, index) => ({ id, position: positions[index]! }))
    .filter(({ id, position }) => before.get(id) !== position);
}

function reordered(
  order: readonly string[],
  wanted: ReadonlySet<string>,
  to: QueueMove,
): readonly string[] {
  const moving = order.filter((id) => wanted.has(id));
  const rest = order.filter((id) => !wanted.has(id));
  switch (to) {
    case "first":
      return [...moving, ...rest];
    case "last":
      return [...rest, ...moving];
    case "up":
      return oneOn(order, wanted);
    case "down":
      return oneOn(order.toReversed(), wanted).toReversed();
    default: {
      const at = rest.indexOf(to.before);
      return at === -1 ? order : [...rest.slice(0, at), ...moving, ...rest.slice(at)];
    }
  }
}

/** Each of them one place to the front; those that are at the front stay. */
function oneOn(order: readonly string[], wanted: ReadonlySet<string>): string[] {
  const moved = [...order];
  for (let index = 1; index < moved.length; index += 1) {
    const [before, id] = [moved[index - 1]!, moved[index]!];
    if (wanted.has(id) && !wanted.has(before)) [moved[index - 1], moved[index]] = [id, before];
  }
  return moved;
}

/** Two with the same position have no order that a move could change. */
function increasing(positions: readonly number[]): number[] {
  const distinct: number[] = [];
  for (const position of positions) {
    distinct.push(Math.max(position, (distinct.at(-1) ?? -Infinity) + 1));
  }
  return distinct;
}
