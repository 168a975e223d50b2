import type { JsonObject } from '@bufbuild/protobuf';
import type { Decision } from '../../gen/sallyport/v1/decision_pb.js';
import { DecisionReason } from '../../gen/sallyport/v1/decision_pb.js';
import { isAllowed, type PermissionQuestion, type ResourceRef } from '../permission-checks.ts';
import type { Sallyport } from '../sallyport.ts';
import type { Authenticated } from './authenticate-request.ts';
import { deviceOf, type IncomingRequest } from './incoming-request.ts';
import { orRefuse, Refusal, refusalOfReason } from './refusal.ts';

/** What a route says its request is about; route parameters fit as they are. */
export interface ResourceOfRequest {
  readonly type: string;
  readonly id: string | readonly string[] | undefined;
  readonly properties?: JsonObject | undefined;
}

/** Why a question was answered as it was, for the person who asks. */
export interface Explanation {
  readonly isAllowed: boolean;
  /** Name of the DecisionReason, for example `NO_MATCH`. */
  readonly reason: string;
  /** From the subject to the grant, or the nearest misses. */
  readonly steps: readonly string[];
  /** Attributes that conditions needed and did not get. */
  readonly missingContext: readonly string[];
}

/** The questions of one request, asked with the credential that it came with: never with whom it was found to stand for. */
export interface PermissionGate {
  /** @throws Refusal unless it is allowed */
  require(permission: string, resource: ResourceOfRequest | undefined): Promise<void>;
  /** @throws Refusal when there is no answer, or the credential is not good any more */
  can(permission: string, resource: ResourceOfRequest | undefined): Promise<boolean>;
  explain(permission: string, resource: ResourceOfRequest | undefined): Promise<Explanation>;
}

export function permissionGate(
  sallyport: Sallyport,
  request: IncomingRequest,
  { credential, isBoundToNetworks }: Authenticated,
  context: JsonObject | undefined,
): PermissionGate {
  const principal = { identity: { case: caseOf(credential.kind), value: credential.text } };
  const more = context === undefined ? {} : { context };
  const checks = sallyport.checks(principal, more);
  const ask = async (question: PermissionQuestion): Promise<Decision> => {
    if (!isBoundToNetworks) return checks.decide(question);
    // Authorize knows no address, so it refuses such a key; here the same decision comes with one.
    const client = deviceOf(request);
    const { decision } = await sallyport.verifyApiKey({ apiKey: credential.text, client, ...plain(question), ...more });
    if (decision === undefined) throw new Error('an answer without a decision');
    return decision;
  };
  const decide = async (permission: string, about: ResourceOfRequest | undefined): Promise<Decision | undefined> => {
    const resource = about === undefined ? undefined : resourceOf(about);
    return resource === 'none' ? undefined : orRefuse(() => ask({ permission, resource }));
  };
  const can = async (permission: string, about: ResourceOfRequest | undefined): Promise<boolean> => {
    const decision = await decide(permission, about);
    if (isAllowed(decision) || decision === undefined) return decision !== undefined;
    if (decision.error !== undefined) throw undecided(permission, decision.error);
    const refusal = refusalOfReason(decision.reason);
    if (refusal.code !== 'forbidden') throw refusal;
    return false;
  };
  return {
    can,
    require: async (permission, about) => {
      if (!(await can(permission, about))) throw new Refusal('forbidden');
    },
    explain: async (permission, about) => {
      const resource = about === undefined ? undefined : resourceOf(about);
      if (resource === 'none') throw new Refusal('forbidden');
      const question = { principal, ...plain({ permission, resource }), ...more, explain: true };
      const { decision, explanation } = await orRefuse(() => sallyport.authorize(question));
      const { reason = DecisionReason.UNSPECIFIED, missingContext = [] } = decision ?? {};
      const steps = explanation?.steps ?? [];
      return { isAllowed: isAllowed(decision), reason: DecisionReason[reason] ?? 'UNSPECIFIED', steps, missingContext };
    },
  };
}

function caseOf(kind: Authenticated['credential']['kind']): 'sessionToken' | 'accessToken' | 'apiKey' {
  return kind === 'session' ? 'sessionToken' : kind;
}

function plain({ permission, resource }: PermissionQuestion) {
  if (resource === undefined) return { permission };
  const { type, id, properties } = resource;
  return { permission, resource: properties === undefined ? { type, id } : { type, id, properties } };
}

/** Same code as a CallError: an item that was malformed is the application's fault, one that cost too much is to be tried again. */
function undecided(permission: string, { code, reason }: { readonly code: number; readonly reason: string }): Refusal {
  const cause = new Error(`${permission} could not be decided: ${reason}`);
  return new Refusal(code === RESOURCE_EXHAUSTED ? 'unavailable' : 'misconfigured', { cause });
}

const RESOURCE_EXHAUSTED = 8;
const MAX_ID = 320;
// biome-ignore lint/suspicious/noControlCharactersInRegex: ids without them is the contract's rule.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * `none`: the id comes from a URL and is one that no resource can have, so nothing is permitted on it.
 * @throws Error when the route has no such parameter: a mistake of the application, and no yes either
 */
function resourceOf({ type, id, properties }: ResourceOfRequest): ResourceRef | 'none' {
  if (typeof id !== 'string') throw new Error(`the id of the resource of type "${type}" is not a string`);
  if (id === '' || id.length > MAX_ID || CONTROL.test(id) || !id.isWellFormed()) return 'none';
  return { type, id, properties };
}
