import type { Place, Sealer } from '../../crypto/sealed-field.ts';
import { DomainError } from '../errors.ts';
import type { Collection, Document, Store } from '../storage.ts';
import type { ProviderClient } from './identity-providers.ts';
import type { Provider, ProviderKind } from './use-cases.ts';

// A registered identity provider, and what its use cases share.

export interface ProviderDocument extends Document {
  readonly createdAt: number;
  /** Epoch ms; grows with each change, so that the etag does. */
  readonly updatedAt: number;
  readonly displayName?: string | undefined;
  readonly kind: ProviderKind;
  readonly clientId: string;
  /** JWE of the client secret, bound to this document. */
  readonly sealedSecret: string;
  /** Empty: those of the kind, so that a better choice of a later release reaches whoever did not choose. */
  readonly scopes: readonly string[];
  readonly redirectUris: readonly string[];
  readonly linkByVerifiedEmail: boolean;
  readonly allowSignUp: boolean;
  readonly disabled: boolean;
  /** Digest of the body of the CreateProvider call, so that a retry is told from a reuse of its request id. */
  readonly requestDigest?: string | undefined;
}

export function providersOf(store: Store): Collection<ProviderDocument> {
  return store.collection<ProviderDocument>('providers');
}

/** Throws PROVIDER_NOT_FOUND. */
export async function requireProvider(
  store: Store,
  tenant: string,
  providerId: string,
  signal?: AbortSignal,
): Promise<ProviderDocument> {
  const provider = await providersOf(store).get(tenant, providerId, signal);
  if (provider === undefined) throw providerNotFound();
  return provider;
}

export function providerNotFound(): DomainError {
  return new DomainError('PROVIDER_NOT_FOUND', 'there is no such identity provider in this tenant');
}

/** The provider is not the one with the caller's etag any more. */
export function providerChanged(): DomainError {
  return new DomainError('PRECONDITION_FAILED', 'the provider is not the one with this etag any more; read it again');
}

/** Clearing the outbox makes a version too, so the etag is of what callers see. */
export function etagOf(provider: Pick<ProviderDocument, 'updatedAt'>): string {
  return `p${provider.updatedAt.toString(36)}`;
}

export function toProvider(document: ProviderDocument): Provider {
  const { id, kind, clientId, redirectUris, linkByVerifiedEmail, allowSignUp, disabled, createdAt } = document;
  return {
    id,
    displayName: document.displayName ?? '',
    kind,
    clientId,
    scopes: scopesOf(document),
    redirectUris,
    linkByVerifiedEmail,
    allowSignUp,
    disabled,
    createdAt,
    etag: etagOf(document),
  };
}

/** What is asked for. Without `openid` an OpenID provider gives no ID token (OpenID Connect Core section 3.1.2.1). */
function scopesOf({ kind, scopes }: Pick<ProviderDocument, 'kind' | 'scopes'>): readonly string[] {
  if (kind.kind === 'github') return scopes.length === 0 ? ['read:user', 'user:email'] : scopes;
  if (scopes.length === 0) return ['openid', 'email', 'profile'];
  return scopes.includes('openid') ? scopes : ['openid', ...scopes];
}

/** For the port, with the secret. Throws SealError when that was altered or moved here. */
export async function clientOf(sealer: Sealer, provider: ProviderDocument): Promise<ProviderClient> {
  const { tenant, id, kind, clientId, sealedSecret } = provider;
  const secret = await sealer.open('provider-secret', secretPlace(tenant, id), sealedSecret);
  return {
    kind,
    clientId,
    clientSecret: Buffer.from(secret).toString('utf8'),
    scopes: scopesOf(provider),
    revision: JSON.stringify([tenant, id, etagOf(provider)]),
  };
}

export async function sealSecret(sealer: Sealer, tenant: string, id: string, secret: string): Promise<string> {
  return await sealer.seal('provider-secret', secretPlace(tenant, id), Buffer.from(secret, 'utf8'));
}

function secretPlace(tenant: string, id: string): Place {
  return { collection: 'providers', tenant, id, field: 'clientSecret' };
}
