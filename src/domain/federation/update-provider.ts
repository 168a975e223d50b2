import { providerEvent } from '../audit/federation-events.ts';
import type { CallContext } from '../call.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { FederationPorts } from './federation-ports.ts';
import {
  etagOf,
  type ProviderDocument,
  providerChanged,
  providerNotFound,
  providersOf,
  sealSecret,
  toProvider,
} from './provider.ts';
import type { Provider, UpdateProviderInput } from './use-cases.ts';

/**
 * Changes a provider by one swap; of two at once with one etag one wins. Logins read the provider when they begin and when they end, so what
 * was begun before goes by the new values: nothing has to be told to other replicas.
 * Throws TENANT_NOT_FOUND, PROVIDER_NOT_FOUND, PRECONDITION_FAILED.
 */
export async function updateProvider(
  ports: FederationPorts,
  call: CallContext,
  input: UpdateProviderInput,
): Promise<Provider> {
  await requireTenant(ports.tenants, input.tenant, call.signal);
  const { tenant, providerId, clientSecret } = input;
  const sealedSecret =
    clientSecret === undefined ? undefined : await sealSecret(ports.sealer, tenant, providerId, clientSecret);
  const now = ports.clock.now();
  const written = await ports.updates.update<ProviderDocument, 'written' | 'gone' | 'changed'>(
    'providers',
    providersOf(ports.store),
    tenant,
    providerId,
    (current) => {
      if (current === undefined) return { kind: 'keep', result: 'gone' };
      if (input.etag !== '' && input.etag !== etagOf(current)) return { kind: 'keep', result: 'changed' };
      return { kind: 'write', draft: changed(call, current, input, sealedSecret, now), result: 'written' };
    },
    call.signal,
  );
  if (written.kind !== 'done' || written.document === undefined || written.result === 'gone') throw providerNotFound();
  if (written.result === 'changed') throw providerChanged();
  await ports.outbox.settle('providers', written.document, call.signal);
  return toProvider(written.document);
}

function changed(
  call: CallContext,
  current: ProviderDocument,
  input: UpdateProviderInput,
  sealedSecret: string | undefined,
  now: number,
): ProviderDocument {
  const at = Math.max(now, current.updatedAt + 1);
  const { displayName } = input;
  const fields = Object.entries(input)
    .filter(([name, value]) => value !== undefined && !UNCHANGING.has(name))
    .map(([name]) => name);
  return {
    ...current,
    updatedAt: at,
    displayName: displayName === undefined ? current.displayName : displayName === '' ? undefined : displayName,
    clientId: input.clientId ?? current.clientId,
    sealedSecret: sealedSecret ?? current.sealedSecret,
    scopes: input.scopes ?? current.scopes,
    redirectUris: input.redirectUris ?? current.redirectUris,
    linkByVerifiedEmail: input.linkByVerifiedEmail ?? current.linkByVerifiedEmail,
    allowSignUp: input.allowSignUp ?? current.allowSignUp,
    disabled: input.disabled ?? current.disabled,
    outbox: [
      ...(current.outbox ?? []),
      providerEvent('provider.changed', call, current, at, { fields: fields.sort().join(' ') }),
    ],
  };
}

const UNCHANGING = new Set(['tenant', 'providerId', 'etag']);
