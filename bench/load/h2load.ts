import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LoadResult } from './result.ts';

// h2load (nghttp2-client) as a cheap gRPC client: it repeats one framed message. It does not read grpc-status, so its caller checks
// the server's own counters or one answer of a real client before and after.

/** gRPC over HTTP/2: a length-prefixed message, uncompressed. */
export function frame(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(5 + message.length);
  new DataView(framed.buffer).setUint32(1, message.length);
  framed.set(message, 5);
  return framed;
}

export function h2loadAvailable(): boolean {
  try {
    execFileSync('h2load', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface H2loadRun {
  /** `host:port`, plaintext. */
  readonly address: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly message: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly calls: number;
  readonly inFlight: number;
}

export async function h2load(run: H2loadRun): Promise<LoadResult> {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  try {
    writeFileSync(join(dir, 'body'), frame(run.message));
    const headers = Object.entries({ 'content-type': 'application/grpc', te: 'trailers', ...run.headers });
    const args = [
      ...['-n', String(run.calls), '-c', '1', '-m', String(run.inFlight), '-d', join(dir, 'body')],
      ...['--log-file', join(dir, 'log')],
      ...headers.flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
      `http://${run.address}${run.path}`,
    ];
    const { stdout } = await promisify(execFile)('h2load', args, { maxBuffer: 1 << 24 });
    return parse(stdout, readFileSync(join(dir, 'log'), 'utf8'), run.calls);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The log has a line per request: start (us since the epoch), HTTP status, duration (us). */
function parse(summary: string, log: string, calls: number): LoadResult {
  const finished = /finished in ([\d.]+)(us|ms|s)\b/.exec(summary);
  const scale = { us: 1e-6, ms: 1e-3, s: 1 }[finished?.[2] ?? 's'] ?? 1;
  const latencies = Float64Array.from(
    log
      .split('\n')
      .map((line) => line.split('\t'))
      .filter((fields) => fields[1] === '200')
      .map((fields) => Number(fields[2]) / 1000),
  ).sort();
  return { calls, failures: calls - latencies.length, seconds: Number(finished?.[1]) * scale, latencies };
}
