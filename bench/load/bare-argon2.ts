import argon2 from 'argon2';

// Bare argon2 with the service's own parameters: what a login costs when nothing is around it. Runs as a child process.

export interface Argon2Job {
  readonly calls: number;
  readonly inFlight: number;
}

process.once('message', async (job: Argon2Job) => {
  const secret = Buffer.alloc(32, 7);
  const stored = await argon2.hash('the password', {
    type: argon2.argon2id,
    memoryCost: 65_536,
    timeCost: 3,
    parallelism: 4,
    secret,
  });
  let left = job.calls;
  const start = performance.now();
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await argon2.verify(stored, 'the password', { secret });
    }
  };
  await Promise.all(Array.from({ length: job.inFlight }, lane));
  process.send?.((performance.now() - start) / 1000, () => process.exit(0));
});
