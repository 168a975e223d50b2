/** An entry that this release cannot read. The replica must not go on without it. */
export class UnreadableEntryError extends Error {
  override readonly name = 'UnreadableEntryError';

  constructor(problem: string) {
    super(`the policy log holds something that this release cannot read: ${problem}`);
  }
}
