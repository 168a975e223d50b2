export type StoreOpenReason =
  /** Another process has the data directory open. */
  | 'IN_USE'
  /** The data directory or a file in it cannot be made, read or written. */
  | 'NOT_ACCESSIBLE'
  /** The database was written by a newer release of Sallyport. */
  | 'NEWER_FORMAT'
  /** The file is not a Sallyport database, or it is damaged. */
  | 'NOT_A_STORE';

/** Why the store cannot be opened. The message names the path and what to do; it is for the operator, not for callers. */
export class StoreOpenError extends Error {
  override readonly name = 'StoreOpenError';
  readonly reason: StoreOpenReason;

  constructor(reason: StoreOpenReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}
