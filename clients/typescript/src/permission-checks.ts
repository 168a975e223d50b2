import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import type { AuthorizationService } from '../gen/sallyport/v1/authorization_pb.js';
import { type Decision, Effect } from '../gen/sallyport/v1/decision_pb.js';
import type { PrincipalSchema } from '../gen/sallyport/v1/subject_pb.js';
import type { CallOptions, ServiceClient } from './service-client.ts';

/** What is acted on. */
export interface ResourceRef {
  /** Lower-case type, at most 64 characters. Example: `document`. */
  readonly type: string;
  /** 1 to 320 characters. Example: `42`. */
  readonly id: string;
  /** Attributes for conditions, at most 64 KiB; vouched for by the caller. */
  readonly properties?: JsonObject | undefined;
}

/** One question about the principal. */
export interface PermissionQuestion {
  /** At most 256 characters, no wildcard. Example: `documents:read`. */
  readonly permission: string;
  /** Absent: the question is about the whole tenant. */
  readonly resource?: ResourceRef | undefined;
}

export interface PermissionChecks {
  /**
   * Asks Sallyport, together with whatever else is asked in the same tick. Only `effect` ALLOW is a yes.
   * @throws CallError when there is no answer: treat it as a no
   */
  decide(question: PermissionQuestion): Promise<Decision>;
}

export interface PermissionChecksOptions extends CallOptions {
  /** Attributes of the request for conditions, at most 64 KiB as JSON. Example: `{ ip: '192.0.2.7' }`. */
  readonly context?: JsonObject | undefined;
}

/** The most questions of one call; more are split over several. */
export const MAX_BATCH = 1000;
/** Left of a message's 4 MiB for what stands around the items. */
const MAX_BATCH_BYTES = 3 * 1024 * 1024;

interface Waiting {
  readonly question: PermissionQuestion;
  readonly resolve: (decision: Decision) => void;
  readonly reject: (error: unknown) => void;
}

/** The questions about one principal, usually those of one request of its. */
export function createPermissionChecks(
  authorization: Pick<ServiceClient<typeof AuthorizationService>, 'authorize' | 'batchAuthorize'>,
  principal: MessageInitShape<typeof PrincipalSchema>,
  { context, ...options }: PermissionChecksOptions = {},
): PermissionChecks {
  let waiting: Waiting[] = [];
  const about = context === undefined ? { principal } : { principal, context };

  const askOne = async ({ question, resolve, reject }: Waiting): Promise<void> => {
    try {
      const { decision } = await authorization.authorize({ ...about, ...itemOf(question) }, options);
      if (decision === undefined) throw new Error('an answer without a decision');
      resolve(decision);
    } catch (error) {
      reject(error);
    }
  };
  const askMany = async (all: readonly Waiting[]): Promise<void> => {
    try {
      const items = all.map(({ question }) => itemOf(question));
      const { decisions } = await authorization.batchAuthorize({ ...about, items }, options);
      // An answer to another number of questions is an answer to none of them.
      if (decisions.length !== all.length) throw new Error('a batch with another number of answers than questions');
      for (const [index, { resolve, reject }] of all.entries()) {
        const decision = decisions[index];
        if (decision === undefined) reject(new Error('an answer without a decision'));
        else resolve(decision);
      }
    } catch (error) {
      for (const { reject } of all) reject(error);
    }
  };
  const send = (): void => {
    const all = waiting;
    waiting = [];
    for (const batch of batchesOf(all)) {
      const [first] = batch;
      if (batch.length === 1 && first !== undefined) void askOne(first);
      else void askMany(batch);
    }
  };
  return {
    decide: (question) =>
      new Promise((resolve, reject) => {
        // After the promises of this tick, so that what they go on to ask comes along.
        if (waiting.length === 0) void Promise.resolve().then(() => process.nextTick(send));
        waiting.push({ question, resolve, reject });
      }),
  };
}

/** Whether the decision is a yes. */
export function isAllowed(decision: Pick<Decision, 'effect'> | undefined): boolean {
  return decision?.effect === Effect.ALLOW;
}

function itemOf({ permission, resource }: PermissionQuestion) {
  if (resource === undefined) return { permission };
  const { type, id, properties } = resource;
  return { permission, resource: properties === undefined ? { type, id } : { type, id, properties } };
}

function* batchesOf(all: readonly Waiting[]): Generator<readonly Waiting[]> {
  let batch: Waiting[] = [];
  let bytes = 0;
  for (const each of all) {
    const size = sizeOf(each.question);
    if (batch.length > 0 && (batch.length === MAX_BATCH || bytes + size > MAX_BATCH_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(each);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** About: only properties can be large. */
function sizeOf({ resource }: PermissionQuestion): number {
  return 2048 + (resource?.properties === undefined ? 0 : Buffer.byteLength(JSON.stringify(resource.properties)));
}
