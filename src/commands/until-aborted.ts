/** Waits for the signal, doing something each second. */
export function untilAborted(signal: AbortSignal, eachSecond: () => void): Promise<void> {
  const timer = setInterval(eachSecond, 1000);
  return new Promise((resolve) => {
    const end = (): void => {
      clearInterval(timer);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
