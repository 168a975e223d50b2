import type { KeyRing } from '../../crypto/key-ring.ts';
import type { Clock } from '../../platform/clock.ts';
import { type RandomSource, randomId } from '../../platform/random.ts';
import { auditEvent, ownCall, writtenEventId } from '../audit/audit-event.ts';
import type { CallContext } from '../call.ts';
import { encodePolicyEntry, type StoredChange } from '../decision/policy-log.ts';
import type { DecisionUseCases, Grant } from '../decision/use-cases.ts';
import { draftApiKey } from '../keys/api-key.ts';
import type { ApiKeyText } from '../keys/api-key-text.ts';
import type { ApiKeyDocument } from '../keys/use-cases.ts';
import type { Replicas } from '../replica.ts';
import type { Store } from '../storage.ts';
import { formatSubject, type SubjectRef } from '../subject.ts';
import { SYSTEM_TENANT } from '../tenant/tenant.ts';

// The first administrator. Its key is in a file, synced, before anything is in the store; then come its grants, the key document is last.
// A kill anywhere leaves a start that is repeated until the document is there, with the key of the file; two replicas that do it at
// once write the same.

/** Owner of the first key: a subject of tenant `sallyport`. */
export const FIRST_ADMIN: SubjectRef = { type: 'service', id: 'admin' };

const ROLE = 'admin';
const OWN_TENANT = { type: 'tenant', id: SYSTEM_TENANT } as const;
/** Repeats of this write within 24 h are the same write, whichever replica makes them. */
const REQUEST_ID = '00000000-0000-4000-8000-000000000001';

export interface BootstrapPorts {
  readonly store: Store;
  readonly replicas: Replicas;
  readonly decisions: Pick<DecisionUseCases, 'writeGrants'>;
  readonly ring: KeyRing;
  readonly clock: Clock;
}

/** Whether no administrator key was ever stored. A revoked one counts: `sallyport admin recover` is for that, not a restart. */
export async function needsFirstAdmin(store: Store): Promise<boolean> {
  const owner = formatSubject(FIRST_ADMIN);
  const keys = await store.collection<ApiKeyDocument>('apiKeys').list(SYSTEM_TENANT, { owner, limit: 1 });
  return keys.length === 0;
}

/** Gives the first administrator its rights, then its key. Repeatable. */
export async function makeFirstAdmin(ports: BootstrapPorts, text: ApiKeyText): Promise<void> {
  await grantAdmin(ports);
  const draft = draftApiKey(
    ports.ring,
    { tenant: SYSTEM_TENANT, text, subject: FIRST_ADMIN, displayName: 'first administrator', scopes: [] },
    ports.clock.now(),
  );
  // `exists`: another replica was faster with the same file.
  await ports.store.collection<ApiKeyDocument>('apiKeys').insert(draft);
}

/**
 * A new key for the administrator of a store whose keys are all lost, with the grants that the first one had: missing ones are written, denies of
 * it go. Offline, with the master key. The key's document comes last, after the event that tells of it, so that a kill leaves no key that works.
 * Other keys of the administrator stay as they are.
 */
export async function recoverAdmin(
  ports: Omit<BootstrapPorts, 'decisions'> & { readonly random: RandomSource },
  text: ApiKeyText,
): Promise<void> {
  const { store, replicas, ring, clock, random } = ports;
  await replicas.commit(SYSTEM_TENANT, ({ index }) => {
    const held = index.grantsOf(FIRST_ADMIN);
    const changes: StoredChange[] = held
      .filter(({ effect }) => effect === 'deny')
      .map(({ id }) => ({ kind: 'delete', grantId: id }));
    const roles = held.filter((grant) => isAdminRole(grant) && isUnconditional(grant));
    const grant = { subject: FIRST_ADMIN, what: { kind: 'role', role: ROLE }, effect: 'allow' } as const;
    if (!roles.some(({ resource }) => resource === undefined)) {
      changes.push({ kind: 'put', grant: { ...grant, id: randomId(random) } });
    }
    if (!roles.some(isOnOwnTenant)) {
      changes.push({ kind: 'put', grant: { ...grant, id: randomId(random), resource: OWN_TENANT } });
    }
    if (changes.length === 0) return { kind: 'stop', result: undefined };
    const body = encodePolicyEntry({ kind: 'grants', author: formatSubject(SELF), changes });
    return { kind: 'append', body, result: undefined };
  });
  const now = clock.now();
  const facts = { tenant: SYSTEM_TENANT, type: 'admin.recovered', outcome: 'success', call: ownCall, at: now } as const;
  const details = { api_key: text.id };
  await store.auditTrail.append([
    auditEvent(
      { ...facts, subject: formatSubject(FIRST_ADMIN), details },
      writtenEventId(facts.type, facts.tenant, [text.id]),
    ),
  ]);
  const key = { tenant: SYSTEM_TENANT, text, subject: FIRST_ADMIN, displayName: 'recovered administrator', scopes: [] };
  await store.collection<ApiKeyDocument>('apiKeys').insert(draftApiKey(ring, key, now));
}

const isAdminRole = ({ what, effect }: Grant): boolean =>
  effect === 'allow' && what.kind === 'role' && what.role === ROLE;

const isUnconditional = ({ condition, expiresAt }: Grant): boolean =>
  condition === undefined && expiresAt === undefined;

async function grantAdmin({ replicas, decisions }: BootstrapPorts): Promise<void> {
  const { index } = await replicas.load(SYSTEM_TENANT);
  const held = index.grantsOf(FIRST_ADMIN).filter((grant) => grant.what.kind === 'role' && grant.what.role === ROLE);
  if (held.some((grant) => grant.resource === undefined) && held.some(isOnOwnTenant)) return;
  const grant = { id: '', subject: FIRST_ADMIN, what: { kind: 'role', role: ROLE }, effect: 'allow' } as const;
  await decisions.writeGrants(bootstrapCall, {
    tenant: SYSTEM_TENANT,
    changes: [
      { kind: 'put', grant },
      // A grant without a resource does not reach the reserved tenant itself.
      { kind: 'put', grant: { ...grant, resource: OWN_TENANT } },
    ],
    preconditions: [],
    allowMissing: false,
    requestId: REQUEST_ID,
  });
}

const isOnOwnTenant = ({ resource }: Grant): boolean =>
  resource?.type === OWN_TENANT.type && resource.id === OWN_TENANT.id;

const SELF: SubjectRef = { type: 'service', id: 'sallyport' };

const bootstrapCall: CallContext = {
  caller: { subject: SELF, name: formatSubject(SELF), credentialId: 'bootstrap' },
  requestId: 'bootstrap',
  signal: undefined,
};
