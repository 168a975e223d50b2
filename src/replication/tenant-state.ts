import { type ChangingDecisionIndex, createDecisionIndex } from '../domain/decision/create-decision-index.ts';
import { beginsHistory } from '../domain/decision/policy-log.ts';
import { formatRevision } from '../domain/decision/revision-token.ts';
import type { Policy } from '../domain/decision/use-cases.ts';
import type { OnReplicaChange, TenantReplica } from '../domain/replica.ts';
import { FollowedStream, type StreamState } from './followed-stream.ts';
import { decodeRevocation, decodeRevocations } from './revocation-log.ts';
import { Revocations } from './revocations.ts';

/** Revocations of one chunk of a checkpoint. */
const CHUNK_REVOCATIONS = 1000;

/** When something was known to be current: the start of the read that showed it, by both clocks. */
export interface Moment {
  /** Clock.monotonic(). */
  readonly monotonic: number;
  /** Clock.wall(), epoch ms. */
  readonly wall: number;
}

/** One tenant in memory: its two streams and what follows them. */
export interface TenantState {
  readonly tenant: string;
  readonly replica: TenantReplica;
  readonly index: ChangingDecisionIndex;
  readonly revocations: Revocations;
  readonly policy: FollowedStream;
  readonly revocation: FollowedStream;
  /** Start of the last read after which nothing was missing. */
  freshAsOf: Moment;
  /** Clock.monotonic() of the last use. */
  usedAt: number;
}

/** An empty state; `onChange` is told after an entry was applied. */
export function createTenantState(
  tenant: string,
  builtIn: Policy,
  freshAsOf: Moment,
  onChange: OnReplicaChange,
): TenantState {
  const index = createDecisionIndex(tenant, builtIn);
  const revocations = new Revocations();
  const policy = new FollowedStream(policyStream(tenant), policyState(tenant, index, onChange));
  const revocation = new FollowedStream(revocationStream(tenant), revocationState(tenant, revocations, onChange));
  let token = { revision: -1, text: '' };
  const replica: TenantReplica = {
    tenant,
    index,
    revoked: {
      get position() {
        return revocation.head.revision;
      },
      session: (id) => revocations.has('session', id),
      apiKey: (id) => revocations.has('api_key', id),
      userEpoch: (id) => revocations.userEpoch(id),
      signingKey: (id) => revocations.has('signing_key', id),
    },
    revisionToken: () => {
      const { revision } = index;
      if (token.revision !== revision) {
        token = { revision, text: formatRevision({ tenant, incarnation: policy.incarnation, revision }) };
      }
      return token.text;
    },
  };
  return { tenant, replica, index, revocations, policy, revocation, freshAsOf, usedAt: freshAsOf.monotonic };
}

export function policyStream(tenant: string): string {
  return `policy/${tenant}`;
}

export function revocationStream(tenant: string): string {
  return `revocation/${tenant}`;
}

function policyState(tenant: string, index: ChangingDecisionIndex, onChange: OnReplicaChange): StreamState {
  return {
    apply: (entry) => {
      index.apply(entry);
      onChange({ kind: 'policy', tenant, revision: entry.revision });
    },
    beginsHistory,
    restore: (chunk) => index.restore(chunk),
    restored: (revision) => index.restored(revision),
    snapshot: () => index.snapshot(),
  };
}

function revocationState(tenant: string, revocations: Revocations, onChange: OnReplicaChange): StreamState {
  return {
    apply: ({ body }) => {
      const added = decodeRevocations(body);
      for (const revocation of added) revocations.add(revocation);
      onChange({ kind: 'revoked', tenant, revocations: added });
    },
    // Its followers hold the digest of the entry that they stand at, which tells histories apart.
    beginsHistory: () => false,
    restore: (chunk) => {
      for (const value of JSON.parse(chunk)) revocations.add(decodeRevocation(value));
    },
    restored: () => {},
    snapshot: function* () {
      let texts: string[] = [];
      for (const revocation of revocations.all()) {
        texts.push(JSON.stringify(revocation));
        if (texts.length < CHUNK_REVOCATIONS) continue;
        yield `[${texts.join(',')}]`;
        texts = [];
      }
      yield `[${texts.join(',')}]`;
    },
  };
}
