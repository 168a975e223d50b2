import type { ServiceContext } from '../cli/run-service.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import { createPasswordHasher } from '../crypto/password-hasher.ts';
import type { Sealer } from '../crypto/sealed-field.ts';
import type { AuditBuffer } from '../domain/audit/audit-buffer.ts';
import { auditedDecisions, auditedKeyChecks } from '../domain/audit/audited-decisions.ts';
import { createAuditUseCases } from '../domain/audit/create-audit-use-cases.ts';
import { createDenialNotes } from '../domain/audit/denial-notes.ts';
import type { PolicyTrail } from '../domain/audit/policy-trail.ts';
import { createRefusalNotes } from '../domain/audit/refusal-notes.ts';
import type { AuthenticateCaller, PermitCaller } from '../domain/caller/caller-ports.ts';
import { createPermitCaller } from '../domain/caller/permit-caller.ts';
import { createDecision } from '../domain/decision/create-decision.ts';
import { createDecideForSubject } from '../domain/decision/decide-for-subject.ts';
import { createHoldsRole } from '../domain/decision/holds-role.ts';
import { createIsGone } from '../domain/decision/is-gone.ts';
import { createFederation } from '../domain/federation/create-federation.ts';
import { rateLimitedFederation } from '../domain/federation/rate-limited-federation.ts';
import { type BreachedPasswords, noBreachedPasswords } from '../domain/identity/breached-passwords.ts';
import { createIdentity } from '../domain/identity/create-identity.ts';
import type { IdentityPorts } from '../domain/identity/ports.ts';
import { createRateLimiter, rateLimited } from '../domain/identity/rate-limits.ts';
import { createAccessTokens } from '../domain/keys/access-token.ts';
import { createCallerAuthenticator, createKeyUseCases } from '../domain/keys/create-key-use-cases.ts';
import type { KeyRotation } from '../domain/keys/key-rotation.ts';
import type { SigningKeys } from '../domain/keys/signing-keys.ts';
import { createApiKeyJudge } from '../domain/keys/verify-api-key.ts';
import type { Outbox } from '../domain/outbox.ts';
import type { ReplicaChanges, Replicas, RevocationFeed } from '../domain/replica.ts';
import { createSessionStarter } from '../domain/session/create-session-starter.ts';
import { createSessionUseCases } from '../domain/session/create-session-use-cases.ts';
import { createCredentialResolver } from '../domain/session/credential-resolver.ts';
import { createSessionTokenJudge } from '../domain/session/judge-session-token.ts';
import type { Settle } from '../domain/session/revocation.ts';
import { createSessionStepUp } from '../domain/session/step-up.ts';
import type { Store } from '../domain/storage.ts';
import { createTenantUseCases } from '../domain/tenant/create-tenant-use-cases.ts';
import { type ForgettingTenantDirectory, SYSTEM_TENANT } from '../domain/tenant/tenant.ts';
import type { Updates } from '../domain/update.ts';
import type { UseMarks } from '../domain/use-marks.ts';
import { createRangeService } from '../federation/range-service.ts';
import { createPolicyHistory } from '../replication/policy-history.ts';
import type { PipelinePorts } from '../rpc/pipeline.ts';
import type { UseCases } from '../rpc/sallyport-services.ts';
import { openIdentityProviders } from './identity-providers.ts';
import { createIssuer, type Issuer } from './issuer.ts';

/** What the use cases stand on: opened already. */
export interface Foundation {
  readonly context: ServiceContext;
  readonly store: Store;
  readonly ring: KeyRing;
  readonly sealer: Sealer;
  readonly updates: Updates;
  readonly tenants: ForgettingTenantDirectory;
  readonly replicas: Replicas & ReplicaChanges;
  readonly revocationFeed: RevocationFeed;
  readonly outbox: Outbox;
  readonly signingKeys: SigningKeys;
  readonly keyRotation: KeyRotation;
  readonly settle: Settle;
  readonly audit: AuditBuffer;
  readonly policyTrail: PolicyTrail;
  /** Last uses, by what was used. */
  readonly marks: { readonly sessions: UseMarks; readonly apiKeys: UseMarks };
}

/** The use cases and what the pipeline asks about calling services. */
export interface Composition {
  readonly useCases: UseCases;
  readonly authenticateCaller: AuthenticateCaller;
  readonly permitCaller: PermitCaller;
  /** `iss` of a tenant's tokens. */
  readonly issuerOf: (tenant: string) => string;
  /** Tells when what calling services may do can have changed. */
  readonly onRightsChange: (listener: () => void) => void;
  readonly issuer: Issuer;
  readonly onCallerRefused: NonNullable<PipelinePorts['onCallerRefused']>;
}

/** Connects ports to use cases; opens nothing but the hashing process. */
export async function compose(foundation: Foundation): Promise<Composition> {
  const { context, store, ring, sealer, updates, tenants, replicas, outbox, signingKeys, marks, audit, policyTrail } =
    foundation;
  const { clock, random, logger, settings } = context;
  const shared = { ...foundation, clock, random };
  const issuer = createIssuer(settings);
  const hasher = await context.lifecycle.start(
    'password hashing',
    () => createPasswordHasher({ ring, clock, random, logger, ...hashing(context) }),
    (part) => part.close(),
  );
  const accessTokens = createAccessTokens({ ...shared, issuer: () => issuer.url });
  const judgeApiKey = createApiKeyJudge({ ...shared, marks: marks.apiKeys });
  const judgeSessionToken = createSessionTokenJudge({ store, clock, replicas, tenants, marks: marks.sessions });
  const decideForSubject = createDecideForSubject({ replicas, clock });
  const credentials = createCredentialResolver({ accessTokens, judgeSessionToken, judgeApiKey });
  const sessions = createSessionStarter({ ...shared, accessTokens });
  const noteDenial = createDenialNotes({ audit, clock });
  const noteRefusal = createRefusalNotes({ audit, clock });
  const takeTurn = createRateLimiter({ perCaller: settings.ratePerCaller, perClient: settings.ratePerClient });
  const identityProviders = await openIdentityProviders(context);
  const identityPorts: IdentityPorts = {
    store,
    updates,
    outbox,
    clock,
    random,
    ring,
    sealer,
    hasher,
    breachedPasswords: breachedPasswords(context),
    tenants,
    sessions,
    stepUp: createSessionStepUp({ ...shared, accessTokens, judgeSessionToken }),
    holdsRole: createHoldsRole({ replicas, clock }),
    isGone: createIsGone(replicas),
    logger,
    audit,
  };
  return {
    useCases: {
      identity: rateLimited(createIdentity(identityPorts), takeTurn),
      federation: rateLimitedFederation(createFederation({ ...identityPorts, identityProviders }), takeTurn),
      sessions: createSessionUseCases({
        ...shared,
        accessTokens,
        judgeApiKey,
        judgeSessionToken,
        marks: marks.sessions,
      }),
      keys: auditedKeyChecks(
        createKeyUseCases({ ...shared, marks: marks.apiKeys, judgeApiKey, signingKeys, decideForSubject }),
        noteDenial,
      ),
      decisions: auditedDecisions(
        createDecision({
          replicas,
          tenants,
          credentials,
          clock,
          random,
          ring,
          history: createPolicyHistory(store.changeLog),
        }),
        { note: noteDenial, trail: policyTrail },
      ),
      audit: createAuditUseCases({ store, tenants, clock }),
      tenants: createTenantUseCases({ store, updates, outbox, clock, ring, tenants }),
    },
    issuer,
    issuerOf: accessTokens.issuerOf,
    authenticateCaller: createCallerAuthenticator(judgeApiKey),
    onRightsChange: rightsChanges(replicas),
    onCallerRefused: (call, error) => noteRefusal(call, error, call.method.label, call.incoming.peer()),
    permitCaller: createPermitCaller({ replicas, clock }),
  };
}

/** What callers may do is decided in SYSTEM_TENANT. */
function rightsChanges(replicas: ReplicaChanges): Composition['onRightsChange'] {
  return (listener) => {
    replicas.onChange(({ tenant }) => {
      if (tenant === SYSTEM_TENANT) listener();
    });
  };
}

function breachedPasswords({ settings }: ServiceContext): BreachedPasswords {
  const url = settings.breachedPasswordsUrl;
  return url === undefined ? noBreachedPasswords : createRangeService(url);
}

function hashing({ settings }: ServiceContext) {
  return {
    cost: { memoryKiB: settings.argon2MemoryKib, passes: settings.argon2Time, lanes: settings.argon2Parallelism },
    concurrency: settings.hashConcurrency,
    maxWaiting: settings.hashQueue,
  };
}
