/** Resolves at the first Ctrl-C, SIGTERM or hang-up; further ones change nothing, as stopping is under way. */
export function untilStopped(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve(undefined));
  });
}
