import { PolicyService } from '../../../gen/sallyport/v1/policy_pb.ts';
import { policyDigest } from '../../domain/decision/policy.ts';
import type { Policy } from '../../domain/decision/use-cases.ts';
import { CommandError, type CommandExit, type CommandIo } from './command-io.ts';
import { offlineIndex } from './offline-index.ts';
import { policyDiff } from './policy-diff.ts';
import { readPolicyFile } from './policy-file.ts';
import { policyFromJson, policyToJson, policyToYaml, testToJson } from './policy-wire.ts';
import { runPolicyTests, type TestOutcome } from './run-policy-tests.ts';
import type { ServerOptions } from './server-options.ts';
import { callJson, withService } from './service-connection.ts';
import { readTestFile } from './test-file.ts';
import { junitReport, testReport } from './test-report.ts';

/** Puts the file's policy in force, or with `dryRun` only has it checked by the service. */
export async function applyCommand(
  io: CommandIo,
  server: ServerOptions,
  file: string,
  options: ApplyOptions,
): Promise<CommandExit> {
  return putInForce(io, server, { policy: policyToJson(await readPolicyFile(io, file)) }, options);
}

/** Puts an earlier version in force again, as a new one. */
export async function restoreCommand(
  io: CommandIo,
  server: ServerOptions,
  version: string,
  options: ApplyOptions,
): Promise<CommandExit> {
  return putInForce(io, server, { restoreVersion: versionOf(version) }, options);
}

export interface ApplyOptions {
  readonly dryRun?: boolean | undefined;
  readonly etag?: string | undefined;
  readonly comment?: string | undefined;
  readonly test?: readonly string[] | undefined;
}

/** The grants that a file brings are those of offline tests: the service decides on its own. */
async function liveTests(io: CommandIo, path: string): Promise<readonly object[]> {
  const { tests } = await readTestFile(io, path);
  const reasoned = tests.find(({ reason }) => reason !== undefined);
  if (reasoned === undefined) return tests.map(testToJson);
  throw new CommandError(`${path}:${reasoned.line}: the service compares effects only; leave out the reason`);
}

async function putInForce(
  io: CommandIo,
  server: ServerOptions,
  source: object,
  { dryRun = false, etag = '', comment = '', test = [] }: ApplyOptions,
): Promise<CommandExit> {
  const tests = (await Promise.all(test.map((path) => liveTests(io, path)))).flat();
  const request = { ...source, etag, dryRun, comment, tests };
  const response = await withService(io, server, (service) => callJson(service, PolicyService, 'applyPolicy', request));
  const applied = response['policy'] as { version?: number; etag?: string } | undefined;
  const what = dryRun ? 'would be' : 'is';
  io.out(
    `version ${applied?.version ?? 0} ${what} in force${applied?.etag === undefined ? '' : `, etag ${applied.etag}`}\n`,
  );
  return liveReport(io, response['results']) ? 0 : 1;
}

/** Tells what changes and what fails; true: nothing fails. */
function liveReport(io: CommandIo, value: unknown): boolean {
  const results = Array.isArray(value) ? (value as readonly LiveResult[]) : [];
  for (const { name = '', before, after, changed, passed } of results) {
    if (changed === true) io.out(`changes: ${name}: ${decisionText(before)} becomes ${decisionText(after)}\n`);
    if (passed !== true) io.out(`fails: ${name}: ${decisionText(after)}\n`);
  }
  const good = results.filter(({ passed }) => passed === true).length;
  if (results.length > 0) io.out(`${good} of ${results.length} decisions are as expected\n`);
  return good === results.length;
}

interface LiveDecision {
  readonly effect?: string;
  readonly reason?: string;
}

/** The JSON form of message DecisionTestResult. */
interface LiveResult {
  readonly name?: string;
  readonly before?: LiveDecision;
  readonly after?: LiveDecision;
  readonly changed?: boolean;
  readonly passed?: boolean;
}

function decisionText(decision: LiveDecision | undefined): string {
  const effect = decision?.effect === 'EFFECT_ALLOW' ? 'ALLOW' : 'DENY';
  return `${effect} (${(decision?.reason ?? '').replace('DECISION_REASON_', '')})`;
}

/** What applying the file would change; exit code 1 when anything would. */
export async function diffCommand(io: CommandIo, server: ServerOptions, file: string): Promise<CommandExit> {
  const next = await readPolicyFile(io, file);
  const current = await currentPolicy(io, server);
  const lines = policyDiff(current, next);
  for (const line of lines) io.out(`${line}\n`);
  return lines.length === 0 && policyDigest(current) === policyDigest(next) ? 0 : 1;
}

/** The policy in force, or an earlier version, as a file. */
export async function exportCommand(
  io: CommandIo,
  server: ServerOptions,
  version: string | undefined,
): Promise<CommandExit> {
  io.out(policyToYaml(await currentPolicy(io, server, version === undefined ? 0 : versionOf(version))));
  return 0;
}

/** Decides what test files expect, offline; exit code 1 when any decision is another one. */
export async function testCommand(
  io: CommandIo,
  files: readonly string[],
  options: { readonly policy?: string | undefined; readonly junit?: string | undefined },
): Promise<CommandExit> {
  const outcomes: TestOutcome[] = [];
  const policies = new Map<string, Policy>();
  const now = io.now();
  for (const path of files) {
    const file = await readTestFile(io, path);
    const from = options.policy ?? file.policy;
    if (from === undefined) throw new CommandError(`${path} names no policy, and --policy was not given`);
    const policy = policies.get(from) ?? (await readPolicyFile(io, from));
    policies.set(from, policy);
    outcomes.push(...runPolicyTests(offlineIndex(policy, file, now), file, now));
  }
  io.out(testReport(outcomes));
  if (options.junit !== undefined) await io.writeFile(options.junit, junitReport(outcomes));
  return outcomes.every(({ passed }) => passed) ? 0 : 1;
}

/** `version` 0: that in force. */
async function currentPolicy(io: CommandIo, server: ServerOptions, version = 0): Promise<Policy> {
  const response = await withService(io, server, (service) =>
    callJson(service, PolicyService, 'getPolicy', { version }),
  );
  return policyFromJson(response['policy']);
}

function versionOf(text: string): number {
  const version = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (version < 1) throw new CommandError(`${JSON.stringify(text)} is no version: \`policy versions\` lists them`);
  return version;
}
