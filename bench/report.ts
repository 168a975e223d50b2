import { type LoadResult, percentile } from './load/result.ts';

// Rounds of one case and one concurrency, reduced to their median and printed as ratios.

export interface Round extends LoadResult {
  /** CPU seconds that the server used meanwhile; undefined where it cannot be read. */
  readonly cpuSeconds: number | undefined;
}

export interface Figures {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of server CPU per call. */
  readonly cpuMicros: number;
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

export function figures(rounds: readonly Round[]): Figures {
  return {
    perSecond: median(rounds.map((round) => round.calls / round.seconds)),
    p50: median(rounds.map((round) => percentile(round.latencies, 0.5))),
    p99: median(rounds.map((round) => percentile(round.latencies, 0.99))),
    cpuMicros: median(rounds.map((round) => ((round.cpuSeconds ?? Number.NaN) * 1e6) / round.calls)),
  };
}

export const HEADING = [
  '| call | in flight | req/s | p50 ms | p99 ms | CPU us/call | opponent req/s | CPU us/call | ratio req/s | ratio CPU |',
  '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
].join('\n');

/** One line of the table: ours, the opponent's, and the ratios (throughput: higher is better; CPU: opponent over ours). */
export function row(name: string, inFlight: number, ours: Figures, theirs: Figures): string {
  const cells = [
    name,
    String(inFlight),
    ours.perSecond.toFixed(0),
    ours.p50.toFixed(3),
    ours.p99.toFixed(3),
    ours.cpuMicros.toFixed(1),
    theirs.perSecond.toFixed(0),
    theirs.cpuMicros.toFixed(1),
    `${((100 * ours.perSecond) / theirs.perSecond).toFixed(0)} %`,
    `${((100 * theirs.cpuMicros) / ours.cpuMicros).toFixed(0)} %`,
  ];
  return `| ${cells.join(' | ')} |`;
}
