import type { CallContext, ClientDevice } from '../call.ts';
import type { Decision } from '../decision/use-cases.ts';
import type { ListPage } from '../page-token.ts';
import type { Document, Json } from '../storage.ts';
import type { ResourceRef, SubjectRef } from '../subject.ts';
import type { SigningKeyRecord } from './key-set.ts';

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
  /** Addresses and networks it may be used from; absent: anywhere. */
  readonly allowedNetworks?: readonly string[] | undefined;
  readonly rateLimit?: ApiKeyRate | undefined;
  readonly metadata?: { readonly [key: string]: string } | undefined;
  /** Who tokens that are issued by it may be for; absent: whoever the tenant allows. */
  readonly allowedAudiences?: readonly string[] | undefined;
  readonly requestDigest?: string | undefined;
  /** The last rotation that came with a request id. */
  readonly rotation?: { readonly requestId: string; readonly requestDigest: string } | undefined;
}

/** Each replica counts for itself. */
export interface ApiKeyRate {
  readonly callsPerMinute: number;
  readonly burst: number;
}

export interface CreateApiKeyInput {
  readonly tenant: string;
  readonly owner: SubjectRef;
  readonly displayName: string;
  readonly test: boolean;
  readonly scopes: readonly string[];
  /** Epoch ms; undefined: until revoked. */
  readonly validUntil?: number | undefined;
  readonly allowedNetworks?: readonly string[] | undefined;
  readonly rateLimit?: ApiKeyRate | undefined;
  readonly metadata?: { readonly [key: string]: string } | undefined;
  readonly allowedAudiences?: readonly string[] | undefined;
  readonly requestId: string;
}

/** What of a key can be changed. */
export type ApiKeyChanges = Partial<
  Pick<
    ApiKeyDocument,
    'scopes' | 'validUntil' | 'displayName' | 'allowedNetworks' | 'rateLimit' | 'metadata' | 'allowedAudiences'
  >
>;

export interface UpdateApiKeyInput {
  readonly tenant: string;
  readonly id: string;
  /** Version it was read at; empty: any. */
  readonly etag: string;
  readonly changes: ApiKeyChanges;
  /** What goes back to nothing. */
  readonly cleared: ReadonlySet<keyof ApiKeyChanges>;
}

export interface RotateApiKeyInput {
  readonly tenant: string;
  readonly id: string;
  /** How long the present secret works on, ms. */
  readonly overlapMs: number;
  /** Lower-case UUID; empty: not repeatable. */
  readonly requestId: string;
}

export interface ListApiKeysInput {
  readonly tenant: string;
  /** Undefined: of all owners. */
  readonly owner?: SubjectRef | undefined;
  readonly page: ListPage;
}

export interface ApiKeysPage {
  readonly keys: readonly ApiKeyDocument[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
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
  getApiKey(call: CallContext, tenant: string, id: string): Promise<ApiKeyDocument>;
  listApiKeys(call: CallContext, input: ListApiKeysInput): Promise<ApiKeysPage>;
  updateApiKey(call: CallContext, input: UpdateApiKeyInput): Promise<ApiKeyDocument>;
  /** `secret` is the key's whole new text. */
  rotateApiKey(
    call: CallContext,
    input: RotateApiKeyInput,
  ): Promise<{ readonly key: ApiKeyDocument; readonly secret: string }>;
  revokeApiKey(call: CallContext, tenant: string, id: string): Promise<ApiKeyDocument>;
  /** Synchronous when the key is in the cache. */
  verifyApiKey(call: CallContext, input: VerifyApiKeyInput): VerifiedApiKey | Promise<VerifiedApiKey>;
  /** Public keys of the tenant's issuer: RFC 7517. Unknown tenant: TENANT_NOT_FOUND. */
  jwks(tenant: string, signal?: AbortSignal): Promise<JsonWebKeySet>;
  /** In the order they were made. The three throw TENANT_NOT_FOUND, and RESERVED_TENANT for `sallyport`. */
  listSigningKeys(call: CallContext, tenant: string): Promise<readonly SigningKeyRecord[]>;
  /** `ifActive` empty: whichever signs. Throws PRECONDITION_FAILED while the next key has not been published for long enough. */
  rotateSigningKey(call: CallContext, tenant: string, ifActive: string): Promise<readonly SigningKeyRecord[]>;
  /** Throws SIGNING_KEY_NOT_FOUND. */
  revokeSigningKey(call: CallContext, tenant: string, kid: string): Promise<readonly SigningKeyRecord[]>;
}
