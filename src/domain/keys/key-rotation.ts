import type { Sealer } from '../../crypto/sealed-field.ts';
import type { Clock } from '../../platform/clock.ts';
import { type AuditedCall, ownCall } from '../audit/audit-event.ts';
import { signingKeyEvent } from '../audit/audit-events.ts';
import { DomainError } from '../errors.ts';
import { revokeEffect, type Settle } from '../session/revocation.ts';
import type { Effect, Store } from '../storage.ts';
import { SYSTEM_TENANT, type TenantDirectory } from '../tenant/tenant.ts';
import type { Change, Updates } from '../update.ts';
import {
  draftKeySet,
  type KeySetDocument,
  newSigningKey,
  SIGNING_KEY_SET_ID,
  type SigningKeyRecord,
} from './key-set.ts';
import {
  activeKey,
  cleaned,
  dueStep,
  goneAt,
  MAX_SIGNING_KEYS,
  nextReadyAt,
  type RotationPolicy,
  rotated,
  withNext,
  withRevoked,
} from './rotation.ts';

// Writes to a tenant's key set. Each is one swap whose effect in the followed log makes every replica read the set again. Two replicas that
// rotate at once do it once: the loser's change finds nothing due.

export interface KeyRotationPorts {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly updates: Updates;
  readonly settle: Settle;
  readonly clock: Clock;
  readonly tenants: TenantDirectory;
  readonly policy: RotationPolicy;
}

export interface KeyRotation {
  readonly policy: RotationPolicy;
  /** Does what is due; the set is made where there is none. */
  keep(tenant: string, signal?: AbortSignal): Promise<void>;
  /** The keys, in the order they were made. */
  list(tenant: string, signal?: AbortSignal): Promise<readonly SigningKeyRecord[]>;
  /**
   * Lets the next key sign now. `ifActive` not empty: only when that key signs; else nothing changes. Throws PRECONDITION_FAILED while the
   * next key has not been published for long enough, SIGNING_KEY_NOT_FOUND when the tenant has no key `ifActive`.
   */
  rotate(by: AuditedCall, tenant: string, ifActive: string, signal?: AbortSignal): Promise<readonly SigningKeyRecord[]>;
  /** Every token of that key is refused everywhere from the answer on. Repeatable. Throws SIGNING_KEY_NOT_FOUND. */
  revoke(by: AuditedCall, tenant: string, kid: string, signal?: AbortSignal): Promise<readonly SigningKeyRecord[]>;
}

export function createKeyRotation(ports: KeyRotationPorts): KeyRotation {
  const { clock, policy } = ports;
  return {
    policy,
    keep: async (tenant, signal) => {
      const algorithm = await wantedAlgorithm(ports, tenant, signal);
      const { signingKeys } = await keySet(ports, tenant, signal);
      if (dueStep(signingKeys, algorithm, policy, clock.now()) === 'nothing') return;
      await change(ports, ownCall, tenant, signal, (keys, fresh) => {
        const now = clock.now();
        switch (dueStep(keys, algorithm, policy, now)) {
          case 'nothing':
            return keys;
          case 'clean':
            return cleaned(keys, now);
          case 'publish':
            return withNext(keys, fresh, now);
          case 'rotate':
            return rotated(keys, fresh, now);
        }
      });
    },
    list: async (tenant, signal) => (await keySet(ports, tenant, signal)).signingKeys,
    rotate: (by, tenant, ifActive, signal) =>
      change(ports, by, tenant, signal, (keys, fresh) => {
        if (ifActive !== '' && activeKey(keys)?.kid !== ifActive) {
          if (!keys.some(({ kid }) => kid === ifActive)) throw noSuchKey();
          return keys;
        }
        checkReady(keys, policy, clock.now());
        return rotated(keys, fresh, clock.now());
      }),
    revoke: (by, tenant, kid, signal) =>
      change(ports, by, tenant, signal, (keys, fresh) => {
        const found = keys.find((key) => key.kid === kid);
        if (found === undefined) throw noSuchKey();
        return found.status === 'revoked' ? keys : withRevoked(keys, kid, fresh, clock.now());
      }),
  };
}

/** Applies `next` in one swap and answers when the log has told of it. The same array: nothing is written. */
async function change(
  ports: KeyRotationPorts,
  by: AuditedCall,
  tenant: string,
  signal: AbortSignal | undefined,
  next: (keys: readonly SigningKeyRecord[], fresh: SigningKeyRecord) => readonly SigningKeyRecord[],
): Promise<readonly SigningKeyRecord[]> {
  await keySet(ports, tenant, signal);
  // Made before the swap, whose change function must be pure and quick; one that is not taken has signed nothing.
  const fresh = await newSigningKey(
    tenant,
    ports.sealer,
    await wantedAlgorithm(ports, tenant, signal),
    ports.clock.now(),
  );
  const updated = await ports.updates.update<KeySetDocument, undefined>(
    'keySets',
    ports.store.collection<KeySetDocument>('keySets'),
    tenant,
    SIGNING_KEY_SET_ID,
    (current): Change<KeySetDocument, undefined> => {
      if (current === undefined) return { kind: 'keep', result: undefined };
      const signingKeys = next(current.signingKeys, fresh);
      if (signingKeys === current.signingKeys) return { kind: 'keep', result: undefined };
      if (signingKeys.length > MAX_SIGNING_KEYS)
        throw new DomainError('LIMIT_EXCEEDED', 'too many living signing keys');
      const now = ports.clock.now();
      const outbox = [
        ...(current.outbox ?? []),
        ...announcements(current.signingKeys, signingKeys, now),
        ...events(by, tenant, current.signingKeys, signingKeys, now),
      ];
      return { kind: 'write', draft: { ...current, signingKeys, outbox }, result: undefined };
    },
    signal,
  );
  const document = updated.kind === 'done' ? updated.document : undefined;
  if (document === undefined) throw new Error('the key set was removed while it was in use');
  await ports.settle('keySets', document, signal);
  return document.signingKeys;
}

/** What every replica must hear: keys revoked first, then that the set is another. */
function announcements(
  before: readonly SigningKeyRecord[],
  after: readonly SigningKeyRecord[],
  now: number,
): readonly Effect[] {
  const known = new Map(before.map(({ kid, status }) => [kid, status]));
  const changed = after.filter(({ kid, status }) => known.get(kid) !== status);
  const until = goneAt(now);
  const revoked = changed.filter(({ status }) => status === 'revoked');
  const last = changed.at(-1);
  return [
    ...revoked.map(({ kid }) => revokeEffect({ kind: 'signing_key', id: kid, until })),
    ...(last === undefined ? [] : [revokeEffect({ kind: 'key_set', id: `${last.kid}:${last.status}`, until })]),
  ];
}

/** What the audit trail is told of a write: per key that it made, let sign or revoked. */
function events(
  by: AuditedCall,
  tenant: string,
  before: readonly SigningKeyRecord[],
  after: readonly SigningKeyRecord[],
  now: number,
): readonly Effect[] {
  const known = new Map(before.map(({ kid, status }) => [kid, status]));
  return after.flatMap(({ kid, status }) => {
    const made = known.has(kid) ? [] : [signingKeyEvent('signing_key.made', by, tenant, kid, now)];
    if (known.get(kid) === status) return made;
    if (status === 'active') return [...made, signingKeyEvent('signing_key.rotated', by, tenant, kid, now)];
    return status === 'revoked' ? [...made, signingKeyEvent('signing_key.revoked', by, tenant, kid, now)] : made;
  });
}

async function keySet(
  ports: KeyRotationPorts,
  tenant: string,
  signal: AbortSignal | undefined,
): Promise<KeySetDocument> {
  if (tenant === SYSTEM_TENANT) {
    throw new DomainError('RESERVED_TENANT', 'tenant sallyport signs no tokens and has no signing keys');
  }
  const found = await readOrMakeKeySet(ports, tenant, signal);
  if (found === undefined) throw new Error('the key set was removed while it was being made');
  return found;
}

/** The tenant's key set. Two that make it at once end with the same one: the insert decides. */
export async function readOrMakeKeySet(
  ports: Pick<KeyRotationPorts, 'store' | 'sealer' | 'settle' | 'clock' | 'tenants'>,
  tenant: string,
  signal: AbortSignal | undefined,
): Promise<KeySetDocument | undefined> {
  const keySets = ports.store.collection<KeySetDocument>('keySets');
  const found = await keySets.get(tenant, SIGNING_KEY_SET_ID, signal);
  if (found !== undefined) return found;
  const algorithm = await wantedAlgorithm(ports, tenant, signal);
  const now = ports.clock.now();
  const draft = await draftKeySet(tenant, ports.sealer, algorithm, now);
  const outbox = events(ownCall, tenant, [], draft.signingKeys, now);
  const inserted = await keySets.insert({ ...draft, outbox }, signal);
  // Somebody else made it meanwhile: theirs counts, ours has signed nothing.
  if (inserted.kind === 'exists') return await keySets.get(tenant, SIGNING_KEY_SET_ID, signal);
  await ports.settle('keySets', inserted.document, signal);
  return inserted.document;
}

async function wantedAlgorithm(
  { tenants }: Pick<KeyRotationPorts, 'tenants'>,
  tenant: string,
  signal: AbortSignal | undefined,
) {
  return (await tenants.settings(tenant, signal))?.signingAlgorithm ?? 'ES256';
}

function noSuchKey(): DomainError {
  return new DomainError('SIGNING_KEY_NOT_FOUND', 'the tenant has no such signing key; ListSigningKeys names them');
}

function checkReady(keys: readonly SigningKeyRecord[], policy: RotationPolicy, now: number): void {
  const readyAt = nextReadyAt(keys, policy);
  if (readyAt !== undefined && now >= readyAt) return;
  throw new DomainError(
    'PRECONDITION_FAILED',
    'the next key has not been published for as long as verifiers may keep a JWKS; rotate again after the time in RetryInfo',
    { retryAfterMs: readyAt === undefined ? policy.publishMs : readyAt - now },
  );
}
