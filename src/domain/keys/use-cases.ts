import type { CallContext, ClientDevice } from '../call.ts';
import type { Decision } from '../decision/use-cases.ts';
import type { Document, Json } from '../storage.ts';
import type { ResourceRef, SubjectRef } from '../subject.ts';

// API keys and the keys that sign access tokens.

export interface ApiKeyDocument extends Document {
  /** Also `Document.owner`, as text. */
  readonly subject: SubjectRef;
  readonly displayName?: string | undefined;
  readonly test: boolean;
  /** First 12 characters, for people. */
  readonly prefix: string;
  /** HMACs of the secrets that work, newest first; two while rotating. */
  readonly secrets: readonly {
    readonly mac: string;
    readonly keyId: string;
    readonly createdAt: number;
    readonly until?: number | undefined;
  }[];
  /** Permission patterns; empty: the owner's full rights. They only narrow. */
  readonly scopes: readonly string[];
  readonly createdAt: number;
  /** Epoch ms. Kept past it so that the answer can say expired. */
  readonly validUntil?: number | undefined;
  readonly revokedAt?: number | undefined;
  readonly requestDigest?: string | undefined;
}

export interface CreateApiKeyInput {
  readonly tenant: string;
  readonly owner: SubjectRef;
  readonly displayName: string;
  readonly test: boolean;
  readonly scopes: readonly string[];
  /** Epoch ms; undefined: until revoked. */
  readonly validUntil?: number | undefined;
  readonly requestId: string;
}

export interface VerifyApiKeyInput {
  readonly tenant: string;
  readonly apiKey: string;
  /** Empty: only the key is judged. */
  readonly permission: string;
  readonly resource?: ResourceRef | undefined;
  readonly context: { readonly [name: string]: Json | undefined };
  readonly client: ClientDevice;
}

export interface VerifiedApiKey {
  readonly decision: Decision;
  readonly key?: ApiKeyDocument | undefined;
}

export interface JsonWebKeySet {
  readonly keys: readonly { readonly [member: string]: unknown }[];
}

export interface KeyUseCases {
  /** `secret` is undefined when a retried request finds the key of its first try: the secret was shown once. */
  createApiKey(
    call: CallContext,
    input: CreateApiKeyInput,
  ): Promise<{ readonly key: ApiKeyDocument; readonly secret: string | undefined }>;
  revokeApiKey(call: CallContext, tenant: string, id: string): Promise<ApiKeyDocument>;
  /** Synchronous when the key is in the cache. */
  verifyApiKey(call: CallContext, input: VerifyApiKeyInput): VerifiedApiKey | Promise<VerifiedApiKey>;
  /** Public keys of the tenant's issuer: RFC 7517. Unknown tenant: TENANT_NOT_FOUND. */
  jwks(tenant: string, signal?: AbortSignal): Promise<JsonWebKeySet>;
}
