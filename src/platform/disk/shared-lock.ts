/** States of the word: free, held, held while others wait (Drepper, "Futexes are tricky"). */
const FREE = 0;
const HELD = 1;
const WAITED_FOR = 2;

/** Takes the lock and sleeps while another thread holds it. Not for the main thread. */
export function lock(word: Int32Array): void {
  let seen = Atomics.compareExchange(word, 0, FREE, HELD);
  while (seen !== FREE) {
    if (seen === WAITED_FOR || Atomics.compareExchange(word, 0, HELD, WAITED_FOR) !== FREE) {
      Atomics.wait(word, 0, WAITED_FOR);
    }
    seen = Atomics.compareExchange(word, 0, FREE, WAITED_FOR);
  }
}

/** Releases the lock and wakes one waiting thread. */
export function unlock(word: Int32Array): void {
  if (Atomics.sub(word, 0, 1) === HELD) return;
  Atomics.store(word, 0, FREE);
  Atomics.notify(word, 0, 1);
}
