import { AuthorizationService } from '../../../gen/sallyport/v1/authorization_pb.ts';
import { parsePermission } from '../../domain/decision/permission.ts';
import type { Attributes } from '../../domain/decision/use-cases.ts';
import { DomainError } from '../../domain/errors.ts';
import { Violations } from '../../domain/violations.ts';
import { CommandError, type CommandExit, type CommandIo } from './command-io.ts';
import { offlineIndex } from './offline-index.ts';
import { readPolicyFile } from './policy-file.ts';
import { parseResourceText, parseSubjectText } from './refs.ts';
import { questionOf } from './run-policy-tests.ts';
import type { ServerOptions } from './server-options.ts';
import { callJson, withService } from './service-connection.ts';
import { type PolicyTest, readTestFile } from './test-file.ts';

export interface CheckOptions {
  readonly explain: boolean;
  /** JSON objects. */
  readonly context?: string | undefined;
  readonly subjectProperties?: string | undefined;
  readonly resourceProperties?: string | undefined;
  /** A test file whose policy and grants answer instead of the service. */
  readonly file?: string | undefined;
}

type Wish = Omit<PolicyTest, 'name' | 'expect' | 'reason' | 'line'>;

interface Answer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly steps: readonly string[];
  readonly missing: readonly string[];
}

/** Asks one question of the service, or offline of files. Exit code 0: allowed; 1: denied. */
export async function checkCommand(
  io: CommandIo,
  server: ServerOptions,
  texts: { readonly subject: string; readonly permission: string; readonly resource?: string | undefined },
  options: CheckOptions,
): Promise<CommandExit> {
  const wish = wishOf(texts, options);
  const answer =
    options.file === undefined
      ? await askServer(io, server, wish, options.explain)
      : await askFile(io, options.file, wish, options.explain);
  io.out(`${answer.allowed ? 'ALLOW' : 'DENY'} (${answer.reason})\n`);
  for (const name of answer.missing) io.out(`  missing: ${name}\n`);
  for (const step of answer.steps) io.out(`  ${step}\n`);
  return answer.allowed ? 0 : 1;
}

function wishOf(
  texts: { readonly subject: string; readonly permission: string; readonly resource?: string | undefined },
  options: CheckOptions,
): Wish {
  const subject = parseSubjectText(texts.subject);
  if (subject === undefined) throw new CommandError('the subject must be `type:id`, for example user:7');
  const violations = new Violations();
  parsePermission(texts.permission, 'permission', violations);
  for (const { description } of violations.noted) throw new CommandError(`the permission ${description}`);
  const resource = texts.resource === undefined ? undefined : parseResourceText(texts.resource);
  if (texts.resource !== undefined && resource === undefined) {
    throw new CommandError('the resource must be `type:id`, for example document:42');
  }
  return {
    subject,
    permission: texts.permission,
    resource,
    context: objectOf(options.context, '--context'),
    subjectProperties: objectOf(options.subjectProperties, '--subject-properties'),
    resourceProperties: objectOf(options.resourceProperties, '--resource-properties'),
  };
}

async function askServer(io: CommandIo, server: ServerOptions, wish: Wish, explain: boolean): Promise<Answer> {
  const { subject, permission, resource, context, subjectProperties, resourceProperties } = wish;
  const request = {
    principal: { subject, properties: subjectProperties },
    permission,
    resource: resource === undefined ? undefined : { ...resource, properties: resourceProperties },
    context,
    explain,
  };
  const response = await withService(io, server, (service) =>
    callJson(service, AuthorizationService, 'authorize', request),
  );
  const decision = (response['decision'] ?? {}) as { effect?: string; reason?: string; missingContext?: string[] };
  const explanation = (response['explanation'] ?? {}) as { steps?: string[] };
  return {
    allowed: decision.effect === 'EFFECT_ALLOW',
    reason: (decision.reason ?? '').replace('DECISION_REASON_', ''),
    steps: explanation.steps ?? [],
    missing: decision.missingContext ?? [],
  };
}

async function askFile(io: CommandIo, path: string, wish: Wish, explain: boolean): Promise<Answer> {
  const file = await readTestFile(io, path);
  if (file.policy === undefined) throw new CommandError(`${path} names no policy`);
  const now = io.now();
  const index = offlineIndex(await readPolicyFile(io, file.policy), file, now);
  const question = questionOf(wish);
  try {
    const { effect, reason, missingContext } = index.decide(question, now);
    const steps = explain ? index.explain(question, now) : [];
    return { allowed: effect === 'allow', reason, steps, missing: missingContext ?? [] };
  } catch (error) {
    // A limit was reached: neither a yes nor a no.
    if (error instanceof DomainError) throw new CommandError(`no decision (${error.reason}: ${error.message})`);
    throw error;
  }
}

function objectOf(text: string | undefined, option: string): Attributes | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Attributes;
  } catch {
    // Said below, for both.
  }
  throw new CommandError(`${option} must be a JSON object, for example '{"ip": "192.0.2.7"}'`);
}
