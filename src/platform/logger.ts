import { pino } from 'pino';
import { redact } from './redaction.ts';

// Logs are JSON lines on standard error: standard output belongs to the `ready` line and the first-start screen.

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a log line says besides its message. Secrets are masked by name and by shape (redaction.ts). */
export type LogFields = Readonly<Record<string, unknown>>;

/** What the rest of the code sees of logging. Messages are constant text; what varies goes into `fields`. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger whose every line also has `fields`. */
  child(fields: LogFields): Logger;
  /** Whether lines of `level` are written: for a caller whose fields cost something to compute. */
  enabled(level: 'debug' | 'info' | 'warn' | 'error'): boolean;
}

/** Where lines go: one call per line, its newline included. */
export interface LogDestination {
  write(line: string): void;
}

/** Bytes of unread log kept when the reader of standard error stalls; lines beyond are dropped rather than stopping the service. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;

/** A logger that writes to `destination`, by default standard error. */
export function createLogger(options: { level: LogLevel; destination?: LogDestination }): Logger {
  const base = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redact(fields) as Record<string, unknown>,
      },
      // pino would otherwise replace `err` before the formatter sees it.
      serializers: { err: (error: unknown) => error },
    },
    options.destination ?? standardError(),
  );
  return narrow(base);
}

/** A logger that writes nothing: for tests and for code that may run without one. */
export function silentLogger(): Logger {
  return createLogger({ level: 'silent', destination: { write: () => {} } });
}

/** Standard error, for every logger of the process: two buffers on one descriptor would mix their lines. */
let shared: LogDestination | undefined;

/** Buffered and asynchronous, so that a slow reader never blocks a decision; what is buffered is written at exit. */
function standardError(): LogDestination {
  if (shared !== undefined) return shared;
  const destination = pino.destination({ fd: 2, sync: false, maxLength: MAX_BUFFERED_BYTES });
  // Standard error can be closed by its reader; losing logs must not end the service.
  destination.on('error', () => {});
  process.once('exit', () => {
    try {
      destination.flushSync();
    } catch {
      // Nobody is left to tell.
    }
  });
  shared = destination;
  return destination;
}

function narrow(logger: pino.Logger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    // pino writes a child's fields as they are, past the formatter.
    child: (fields) => narrow(logger.child(redact(fields) as Record<string, unknown>)),
    enabled: (level) => logger.isLevelEnabled(level),
  };
}
