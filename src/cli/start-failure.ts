/** The start cannot go on for a reason that the operator can mend: printed as it is on standard error, exit code 2. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
  /** `message` says what is wrong, where, and what to do; it holds no secret. */
}
