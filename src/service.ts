import { readFileSync } from 'node:fs';
import { prepareDataDirectory } from './cli/data-directory.ts';
import { adminKeyFile, firstAdminKey } from './cli/first-admin-key.ts';
import { type MasterKeys, obtainMasterKeys } from './cli/master-keys.ts';
import type { OpenService, ServiceContext } from './cli/run-service.ts';
import { readSecretFile } from './cli/secret-file.ts';
import { StartFailure } from './cli/start-failure.ts';
import { startScreen } from './cli/start-screen.ts';
import { createKeyRing } from './crypto/key-ring.ts';
import { createSealer } from './crypto/sealed-field.ts';
import { createAuditBuffer } from './domain/audit/audit-buffer.ts';
import { AUDIT_EFFECT } from './domain/audit/audit-event.ts';
import { createGoneName } from './domain/audit/gone-name.ts';
import { createPolicyTrail } from './domain/audit/policy-trail.ts';
import { makeFirstAdmin, needsFirstAdmin } from './domain/caller/bootstrap.ts';
import { builtInPolicy } from './domain/caller/built-in-roles.ts';
import {
  createEraseUserHandler,
  createMarkUserHandler,
  createUnlockUserHandler,
  ERASE_USER_EFFECT,
  MARK_USER_EFFECT,
  UNLOCK_USER_EFFECT,
} from './domain/identity/user-effects.ts';
import { importUnderWay } from './domain/import-mark.ts';
import { createKeyRotation } from './domain/keys/key-rotation.ts';
import { checkMasterKey, hasMasterKeyCheck } from './domain/keys/master-key-check.ts';
import { createSigningKeys, type SigningKeys } from './domain/keys/signing-keys.ts';
import { createOutbox } from './domain/outbox.ts';
import type { ReplicaChange } from './domain/replica.ts';
import { createRevokeHandler, createSettle, REVOKE_EFFECT } from './domain/session/revocation.ts';
import type { Store } from './domain/storage.ts';
import { allTenants } from './domain/tenant/all-tenants.ts';
import { ensureTenants } from './domain/tenant/ensure-tenants.ts';
import { createPurgeTenantHandler, PURGE_TENANT_EFFECT } from './domain/tenant/purge-tenant.ts';
import { DEFAULT_TENANT, type ForgettingTenantDirectory, SYSTEM_TENANT } from './domain/tenant/tenant.ts';
import { createTenantChangedHandler, TENANT_CHANGED_EFFECT } from './domain/tenant/tenant-changed.ts';
import { createTenantDirectory } from './domain/tenant/tenant-directory.ts';
import { createUpdates } from './domain/update.ts';
import { createUseMarks } from './domain/use-marks.ts';
import { createFollower, type Follower } from './replication/follower.ts';
import { createOutboxSweeper } from './replication/outbox-sweeper.ts';
import { keepTrail } from './service/audit-trail.ts';
import { keepHouse } from './service/housekeeping.ts';
import { openStore, storeName } from './service/open-store.ts';
import { watchReadiness } from './service/readiness.ts';
import { serve } from './service/serve.ts';
import { compose, type Foundation } from './service/use-cases.ts';

// The composition root. The order is what makes a start safe to kill anywhere: lock the store, prove the master key, follow the log, finish
// what an earlier process left, make the first administrator, and only then open the ports.

export const openService: OpenService = async (context) => {
  const begun = context.clock.monotonic();
  const { settings, lifecycle } = context;
  const directory = await prepareDataDirectory(settings.dataDir);
  const store = await openStore(context, directory);
  if ((await importUnderWay(store)) !== undefined) throw new StartFailure(UNFINISHED_IMPORT);
  const masterKeys = await obtainMasterKeys(settings, directory, context.random, () => hasMasterKeyCheck(store));
  const { foundation, follower } = await found(context, store, masterKeys);
  const composition = await compose(foundation);
  if (await needsFirstAdmin(store)) {
    const key = await firstAdminKey(settings, directory, context.random);
    await makeFirstAdmin({ ...foundation, decisions: composition.useCases.decisions, clock: context.clock }, key);
  }
  // Another replica may have made it since the log was loaded here; its grants are older than its key, so one poll brings them.
  await follower.poll();
  keepHouse(context, store, Object.values(foundation.marks));
  const readiness = watchReadiness(context, store, follower);
  const listening = await serve(context, composition, readiness.current);
  readiness.drive(listening.health);
  lifecycle.stopping.throwIfAborted();
  const keyFile = adminKeyFile(settings, directory);
  return startScreen({
    ...listening,
    version: version(),
    store: storeName(context, directory),
    tlsCertFile: settings.tlsCertFile,
    clientCertificates: settings.tlsClientCaFile !== undefined,
    masterKeyFile: masterKeys.generatedFile,
    adminKeyFile: (await readSecretFile(keyFile)) === undefined ? undefined : keyFile,
    warnings: context.warnings,
    startedInMs: context.clock.monotonic() - begun,
  });
};

const UNFINISHED_IMPORT =
  'an import into this store did not finish. Run `sallyport import FILE` again with the same file; it goes on where it was.';

/** Everything below the use cases, in its order: keys, tenants, the followed log, unfinished effects. */
async function found(
  context: ServiceContext,
  store: Store,
  masterKeys: MasterKeys,
): Promise<{ readonly foundation: Foundation; readonly follower: Follower }> {
  const { settings, lifecycle, clock, random, logger } = context;
  const ring = createKeyRing(masterKeys.keys);
  const sealer = createSealer(ring);
  if ((await checkMasterKey({ store, sealer })) === 'wrong') {
    const where = masterKeys.generatedFile ?? 'SALLYPORT_MASTER_KEYS (or its file)';
    throw new StartFailure(`${where} does not hold the master key that the data in the store was written under.`);
  }
  await ensureTenants({ store, clock });
  const policyTrail = createPolicyTrail({ store, logger });
  const follower = createFollower({
    log: store.changeLog,
    clock,
    random,
    logger,
    builtIn: builtInPolicy,
    pinned: [SYSTEM_TENANT, DEFAULT_TENANT],
    tenantNames: (signal) => allTenants(store, signal),
    beforeCompaction: policyTrail.complete,
    maxStalenessMs: settings.maxStalenessMs,
  });
  const tenants = createTenantDirectory({ store, clock, logger });
  follower.onChange((change) => forgetTenants(tenants, change));
  const audit = createAuditBuffer({ store, clock, random, logger, goneName: createGoneName(follower) });
  keepTrail(context, store, audit);
  follower.onChange(policyTrail.onChange);
  lifecycle.onStop('policy events', () => policyTrail.stop());
  await lifecycle.start(
    'replication',
    () => follower.start(),
    () => follower.stop(),
  );
  const updates = createUpdates(random);
  const handlers = {
    [AUDIT_EFFECT]: audit.handler,
    [REVOKE_EFFECT]: createRevokeHandler(follower),
    [MARK_USER_EFFECT]: createMarkUserHandler({ store, replicas: follower }),
    [UNLOCK_USER_EFFECT]: createUnlockUserHandler({ store, clock }),
    [ERASE_USER_EFFECT]: createEraseUserHandler({ store, replicas: follower, clock }),
    [TENANT_CHANGED_EFFECT]: createTenantChangedHandler(follower),
    [PURGE_TENANT_EFFECT]: createPurgeTenantHandler({ store, replicas: follower, random }),
  };
  const outbox = createOutbox(store, updates, handlers, clock);
  const kinds = new Set(Object.keys(handlers));
  const sweeper = createOutboxSweeper({ store, outbox, kinds, clock, logger });
  await lifecycle.start(
    'outbox sweeper',
    () => sweeper.start(),
    () => sweeper.stop(),
  );
  const policy = { publishMs: settings.jwksCacheMs, maxAgeMs: settings.signingKeyMaxAgeMs };
  const settle = createSettle(outbox);
  const keyRotation = createKeyRotation({ store, sealer, updates, settle, clock, tenants, policy });
  const signingKeys = createSigningKeys({ store, sealer, settle, clock, logger, tenants, rotation: keyRotation });
  follower.onChange((change) => forgetSigningKeys(signingKeys, change));
  const marks = { sessions: createUseMarks(store, 'sessions'), apiKeys: createUseMarks(store, 'apiKeys') };
  const foundation = {
    context,
    store,
    ring,
    sealer,
    updates,
    tenants,
    replicas: follower,
    revocationFeed: follower.revocations,
    outbox,
    settle,
    signingKeys,
    keyRotation,
    marks,
    audit,
    policyTrail,
  };
  return { foundation, follower };
}

function forgetSigningKeys(signingKeys: SigningKeys, change: ReplicaChange): void {
  // A revoked key is announced an entry before its set: the JWKS must not show it in between.
  const isKeySet =
    change.kind === 'revoked' && change.revocations.some(({ kind }) => kind === 'key_set' || kind === 'signing_key');
  if (isKeySet || change.kind === 'loaded') signingKeys.forget(change.tenant);
}

/** Changes of tenants are announced in the log of tenant `sallyport`, whichever tenant it is. */
function forgetTenants(tenants: ForgettingTenantDirectory, change: ReplicaChange): void {
  if (change.tenant !== SYSTEM_TENANT) return;
  if (change.kind === 'loaded') tenants.forget(undefined);
  if (change.kind !== 'revoked') return;
  for (const { kind, id } of change.revocations) if (kind === 'tenant') tenants.forget(id);
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
