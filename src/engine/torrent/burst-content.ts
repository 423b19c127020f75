import type { Content } from "../../ports/content.ts";
import type { BurstMember, Bursts } from "../sharing/bursts.ts";

/** @returns The same content, every outcome of which is a burst of the member. */
export function inTurns(content: Content, bursts: Bursts, member: BurstMember): Content {
  const later =
    <T>(onDone: (outcome: T) => void) =>
    (outcome: T): void =>
      bursts.runWith(onDone, outcome, member);
  return {
    store: (piece, slab, options, onDone) => content.store(piece, slab, options, later(onDone)),
    write: (piece, run, source, onDone) => content.write(piece, run, source, later(onDone)),
    verify: (piece, options, onDone) => content.verify(piece, options, later(onDone)),
    check: ({ pieces, onPiece, onDone }) =>
      content.check({
        pieces,
        onPiece: (piece, intact) => bursts.run(() => onPiece(piece, intact), member),
        onDone: later(onDone),
      }),
    read: (slab, runs, onDone) => content.read(slab, runs, later(onDone)),
    sync: (onDone) => content.sync(later(onDone)),
    stamp: (onDone) => content.stamp(later(onDone)),
    reopen: (lost, onDone) => content.reopen(lost, later(onDone)),
    claim: (files, onDone) => content.claim(files, later(onDone)),
    setAside: (files, onDone) => content.setAside(files, later(onDone)),
    createEmpty: (onDone) => content.createEmpty(later(onDone)),
    setWanted: (wanted, onDone) => content.setWanted(wanted, later(onDone)),
    finish: (files, onDone) => content.finish(files, later(onDone)),
    freeSpace: (onDone) => content.freeSpace(later(onDone)),
    close: (onDone) => content.close(() => bursts.run(onDone, member)),
  };
}
