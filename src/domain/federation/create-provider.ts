import { keyedDigest } from '../../crypto/keyed-digest.ts';
import { randomId } from '../../platform/random.ts';
import { providerEvent } from '../audit/federation-events.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { limits } from '../limits.ts';
import { requestIdentity } from '../request-id.ts';
import type { Draft } from '../storage.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import type { FederationPorts } from './federation-ports.ts';
import { type ProviderDocument, providersOf, sealSecret, toProvider } from './provider.ts';
import type { CreateProviderInput, Provider } from './use-cases.ts';

/**
 * Registers a provider by one insert: of any number at once with one request id all get the same one, and a kill leaves it or nothing. How
 * many a tenant has is checked by listing: callers at once may overshoot by their number.
 * Throws TENANT_NOT_FOUND, RESERVED_TENANT, REQUEST_ID_REUSED, LIMIT_EXCEEDED.
 */
export async function createProvider(
  ports: FederationPorts,
  call: CallContext,
  input: CreateProviderInput,
): Promise<Provider> {
  await requireLoginTenant(ports.tenants, input.tenant, call.signal);
  const providers = providersOf(ports.store);
  const request = identityOf(ports, call, input);
  const earlier = request.digest === undefined ? undefined : await providers.get(input.tenant, request.id, call.signal);
  if (earlier !== undefined) return repeated(earlier, request.digest);
  const others = await providers.list(input.tenant, { limit: limits.providersPerTenant }, call.signal);
  if (others.length >= limits.providersPerTenant) {
    const message = `the tenant has ${limits.providersPerTenant} providers; remove one first`;
    throw new DomainError('LIMIT_EXCEEDED', message, { metadata: { limit: 'providersPerTenant' } });
  }
  const sealedSecret = await sealSecret(ports.sealer, input.tenant, request.id, input.clientSecret);
  const now = ports.clock.now();
  const draft = newProvider(input, request, sealedSecret, now);
  const outbox = [providerEvent('provider.created', call, draft, now)];
  const inserted = await providers.insert({ ...draft, outbox }, call.signal);
  if (inserted.kind === 'inserted') {
    await ports.outbox.settle('providers', inserted.document, call.signal);
    return toProvider(inserted.document);
  }
  const first = await providers.get(input.tenant, request.id, call.signal);
  return repeated(first, request.digest);
}

interface RequestIdentity {
  readonly id: string;
  /** Undefined: not repeatable. */
  readonly digest: string | undefined;
}

function identityOf(ports: FederationPorts, call: CallContext, input: CreateProviderInput): RequestIdentity {
  const { tenant, requestId, clientSecret, ...rest } = input;
  if (requestId === '') return { id: randomId(ports.random), digest: undefined };
  const secret = keyedDigest(ports.ring, 'request-id', ['provider-secret', tenant, clientSecret]);
  const body = { ...rest, secret };
  return requestIdentity(ports.ring, {
    method: 'CreateProvider',
    tenant,
    callerName: call.caller.name,
    requestId,
    body,
  });
}

function repeated(first: ProviderDocument | undefined, digest: string | undefined): Provider {
  if (first !== undefined && first.requestDigest === digest) return toProvider(first);
  throw new DomainError('REQUEST_ID_REUSED', 'this request_id was used before with another body; use a fresh one');
}

function newProvider(
  input: CreateProviderInput,
  request: RequestIdentity,
  sealedSecret: string,
  now: number,
): Draft<ProviderDocument> {
  const { tenant, displayName, kind, clientId, scopes, redirectUris } = input;
  return {
    tenant,
    id: request.id,
    schema: 1,
    keys: [request.id],
    createdAt: now,
    updatedAt: now,
    displayName: displayName === '' ? undefined : displayName,
    kind,
    clientId,
    sealedSecret,
    scopes,
    redirectUris,
    linkByVerifiedEmail: input.linkByVerifiedEmail,
    allowSignUp: input.allowSignUp,
    disabled: input.disabled,
    requestDigest: request.digest,
  };
}
