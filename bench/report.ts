import { type LoadResult, percentile } from './load/result.ts';

// Rounds of one case and one concurrency, reduced to their medians and printed as a line of a table.

export interface Round extends LoadResult {
  /** CPU seconds that the server used meanwhile; undefined where it cannot be read. */
  readonly cpuSeconds: number | undefined;
}

/** One round against the service and the one against the opponent beside it in time. */
export type Pair = readonly [ours: Round, theirs: Round];

export const HEADING = [
  '| call | in flight | req/s | p50 ms | p99 ms | CPU us/call | opponent req/s | p50 ms | p99 ms | CPU us/call | req/s | fastest round | p50 | CPU |',
  '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
].join('\n');

/**
 * One line of the table: ours, the opponent's, and what share of the opponent's the service reaches (higher is better, 100 %: as good). The
 * shares of requests per second and CPU are medians over neighbouring rounds. On a machine that others use too, those of the fastest
 * rounds and of the median latencies say more: neither contains the time in which somebody else had the processor.
 */
export function row(name: string, inFlight: number, pairs: readonly Pair[]): string {
  const ours = pairs.map(([mine]) => mine);
  const theirs = pairs.map(([, other]) => other);
  const shares = [
    median(pairs.map(([mine, other]) => perSecond(mine) / perSecond(other))),
    Math.max(...ours.map(perSecond)) / Math.max(...theirs.map(perSecond)),
    median(theirs.map(p50)) / median(ours.map(p50)),
    median(pairs.map(([mine, other]) => cpuMicros(other) / cpuMicros(mine))),
  ];
  const percents = shares.map((share) => (Number.isNaN(share) ? '' : `${(100 * share).toFixed(0)} %`));
  return `| ${[name, String(inFlight), ...figures(ours), ...figures(theirs), ...percents].join(' | ')} |`;
}

function figures(rounds: readonly Round[]): readonly string[] {
  return [
    median(rounds.map(perSecond)).toFixed(0),
    median(rounds.map(p50)).toFixed(3),
    median(rounds.map((round) => percentile(round.latencies, 0.99))).toFixed(3),
    median(rounds.map(cpuMicros)).toFixed(1),
  ];
}

const perSecond = (round: Round): number => round.calls / round.seconds;
const cpuMicros = (round: Round): number => ((round.cpuSeconds ?? Number.NaN) * 1e6) / round.calls;
const p50 = (round: Round): number => percentile(round.latencies, 0.5);

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
