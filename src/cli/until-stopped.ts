/** Resolves when this process is asked to end, by a signal or by the end of the parent that started it with a channel. */
export const untilStopped = (): Promise<void> =>
  new Promise((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
    process.once("disconnect", () => done());
  });
