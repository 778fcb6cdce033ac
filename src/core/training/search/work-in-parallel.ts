type Job = () => Promise<void>;

/**
 * Keeps up to `workers` jobs running. `next` is asked whenever a place is free, and again after a job has ended; it answers null
 * when there is nothing to begin now. Resolves when nothing runs and nothing is to begin. When `next` or a job rejects, no more are
 * begun, `onFailure` is called, the running ones are waited for, and the first error is thrown.
 */
export async function workInParallel(workers: number, next: () => Promise<Job | null>, onFailure: () => void): Promise<void> {
  const running = new Set<Promise<void>>();
  const errors: unknown[] = [];
  const guarded = async (job: Job) => {
    try {
      await job();
    } catch (error) {
      errors.push(error);
      onFailure();
    }
  };
  for (;;) {
    while (errors.length === 0 && running.size < workers) {
      let job: Job | null = null;
      await guarded(async () => {
        job = await next();
      });
      if (job === null) break;
      const ended: Promise<void> = guarded(job).finally(() => running.delete(ended));
      running.add(ended);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  if (errors.length > 0) throw errors[0];
}
