import { systemClock, type TurnClock } from '../platform/clock.ts';
import { createLifecycle, type Lifecycle } from '../platform/lifecycle.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { createMetrics, type Metrics } from '../platform/metrics.ts';
import { type RandomSource, systemRandom } from '../platform/random.ts';
import { formatProblems, parseSettings } from '../settings/parse-settings.ts';
import type { Settings } from '../settings/settings-table.ts';
import { watchEndings } from './watch-endings.ts';

// A process that serves: settings, open, announce, wait for a signal, drain, exit code.

/** 0: ended as asked; 1: failed while running; 2: wrong settings or surroundings, nothing was served. */
export type ExitCode = 0 | 1 | 2;

/** What the composition root gets from the process. Parts register with `lifecycle` as they open. */
export interface ServiceContext {
  readonly settings: Settings;
  /** What works and should not stay, for the start screen; logged already. */
  readonly warnings: readonly string[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  readonly clock: TurnClock;
  readonly random: RandomSource;
}

/**
 * Opens everything and resolves, when health says SERVING, with the screen to print: one line of it has the word
 * `ready`. What it throws ends the process with exit code 2 and its message on standard error, so it tells an operator what is
 * wrong and what to do, and holds no secret (start-failure.ts).
 */
export type OpenService = (context: ServiceContext) => Promise<string>;

/** Runs until the process should end and resolves with its exit code. Called once per process. */
export async function runService(env: NodeJS.ProcessEnv, open: OpenService): Promise<ExitCode> {
  const parsed = parseSettings(env);
  if (parsed.kind === 'invalid') return refuse(formatProblems(parsed.problems));
  const { settings, warnings } = parsed;

  const logger = createLogger({ level: settings.logLevel });
  for (const warning of warnings) logger.warn({}, warning);
  const lifecycle = createLifecycle({ logger, shutdownMs: settings.shutdownMs });
  const metrics = createMetrics();
  lifecycle.onStop('metrics', () => metrics.stop());
  const endings = watchEndings(logger);
  const opened = open({
    settings,
    warnings,
    logger,
    metrics,
    lifecycle,
    clock: systemClock(),
    random: systemRandom(),
  }).then(
    (screen) => ({ kind: 'ready', screen }) as const,
    (error: unknown) => ({ kind: 'failed', error }) as const,
  );

  const first = await Promise.race([opened, endings.ended]);
  if (first.kind === 'ready') process.stdout.write(first.screen);
  const outcome = first.kind === 'ready' ? await endings.ended : first;
  if (outcome.kind === 'failed' && isBug(outcome.error)) logger.error({ err: outcome.error }, 'the start failed');
  if (outcome.kind === 'signal') logger.info({ signal: outcome.signal }, 'draining');

  const { late, failed } = await lifecycle.stop();
  if (outcome.kind === 'failed') return refuse(`Sallyport cannot start: ${messageOf(outcome.error)}\n`);
  if (outcome.kind === 'crash') return 1;
  logger.info({ late, failed }, 'stopped');
  return late.length + failed.length === 0 ? 0 : 1;
}

function refuse(text: string): ExitCode {
  process.stderr.write(text);
  return 2;
}

/** Errors of the language are nobody's message to an operator: their stack is worth more. */
function isBug(error: unknown): boolean {
  return (
    !(error instanceof Error) ||
    [TypeError, RangeError, ReferenceError, SyntaxError].some((type) => error instanceof type)
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
