import {
  MongoAPIError,
  MongoBulkWriteError,
  MongoDriverError,
  MongoError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import { Fault } from '../../platform/faults.ts';

// What the driver throws, in the port's terms. Messages of the driver name hosts, so they stay in `cause`, for the log only.

const DUPLICATE_KEY = 11000;
/** Unauthorized, AuthenticationFailed. */
const REFUSED_CREDENTIALS = new Set([13, 18]);
/** What the driver throws for a mistake in the code that uses it: nothing that a retry could mend. */
const MISUSE = new Set(['MongoInvalidArgumentError', 'MongoCompatibilityError', 'MongoParseError']);
/** Everything the driver throws when it is used after `close`. */
const CLOSED = new Set([
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoClientClosedError',
  'MongoServerClosedError',
  'MongoExpiredSessionError',
  'MongoPoolClosedError',
]);

/** A unique index refused the write: E11000, the one refusal that callers expect. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && !(error instanceof MongoBulkWriteError) && error.code === DUPLICATE_KEY;
}

/** Every refusal inside an unordered bulk write was E11000, and the rest was written. */
export function onlyDuplicates(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError) || error.err !== undefined) return false;
  const refusals = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  return refusals.length > 0 && refusals.every((refusal) => refusal.code === DUPLICATE_KEY);
}

/** No connection came free in time: the operation was never sent. */
export function isPoolTimeout(error: unknown): boolean {
  return error instanceof MongoDriverError && error.name === 'MongoWaitQueueTimeoutError';
}

/** No server could be found within serverSelectionTimeoutMS. */
export function isUnreachable(fault: unknown): boolean {
  return fault instanceof Fault && fault.cause instanceof MongoServerSelectionError;
}

/** The fault for what an operation threw; errors that are not the driver's (a broken limit, an abort) stay as they are. */
export function toFault(error: unknown): unknown {
  if (isSystemError(error)) return new Fault('UNAVAILABLE', 'the database does not answer', { cause: error });
  if (!(error instanceof MongoError)) return error;
  if (isDuplicate(error)) return error;
  if (isPoolTimeout(error)) {
    return new Fault('OVERLOADED', 'the database takes no more work now', { retryAfterMs: 300, cause: error });
  }
  // A connection that is cut in the middle of a read leaves a cursor or session that the driver calls misused: it is the cut that counts.
  if (error instanceof MongoAPIError && MISUSE.has(error.name)) return error;
  return new Fault('UNAVAILABLE', sentence(error), { cause: error });
}

/** Codes of a socket's own errors: those of the system (E and capitals), and those that Node makes up for a stream that was ended. */
const SOCKET_CODE = /^(E[A-Z]+|ERR_STREAM_[A-Z_]+|ERR_SOCKET_[A-Z_]+)$/;

/**
 * A socket's own error, which the driver now and then lets through as it is. Not by `syscall`: a write after the other side's end is an
 * EPIPE that Node makes without one.
 */
function isSystemError(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof MongoError || !('code' in error)) return false;
  return typeof error.code === 'string' && SOCKET_CODE.test(error.code);
}

/**
 * True when a write that ended in this fault may have happened all the same: its answer was lost, it took too long, or the server
 * could not say that a majority has it. False when it was never sent, and for an abort, whose caller no longer waits.
 */
export function mayHaveHappened(fault: unknown): boolean {
  if (!(fault instanceof Fault) || fault.code !== 'UNAVAILABLE') return false;
  const { cause } = fault;
  if (isSystemError(cause)) return true;
  if (cause instanceof MongoServerSelectionError || !(cause instanceof MongoError)) return false;
  return !CLOSED.has(cause.name);
}

function sentence(error: MongoError): string {
  if (error instanceof MongoServerError && typeof error.code === 'number') {
    if (REFUSED_CREDENTIALS.has(error.code)) return 'the database refused the credentials of SALLYPORT_STORE_URL';
    return `the database could not do it now (code ${error.code})`;
  }
  if (error instanceof MongoNetworkError) return 'the connection to the database was lost';
  return 'the database does not answer';
}
