import type { CallContext, ClientDevice } from '../call.ts';
import type { IssueRequest, LoginOutcome, Rejection } from '../identity/use-cases.ts';

// What federation offers to callers: the providers of a tenant, and logins by them.

/** What sort of provider; it says who vouches, so it never changes. */
export type ProviderKind =
  | {
      readonly kind: 'oidc';
      readonly issuer: string;
      /** How long ago the provider may have authenticated the person; undefined: any time. */
      readonly maxAuthenticationAgeMs?: number | undefined;
      /** One of these its authentication must have been; undefined: any. */
      readonly acrValues?: readonly string[] | undefined;
    }
  | { readonly kind: 'google' }
  /** `tenantId`: the directory, a lower-case UUID. */
  | { readonly kind: 'microsoft'; readonly tenantId: string }
  | { readonly kind: 'github' };

/** A provider as callers see it: without its secret. */
export interface Provider {
  readonly id: string;
  readonly displayName: string;
  readonly kind: ProviderKind;
  readonly clientId: string;
  /** As they are in force. */
  readonly scopes: readonly string[];
  readonly redirectUris: readonly string[];
  readonly linkByVerifiedEmail: boolean;
  readonly allowSignUp: boolean;
  readonly disabled: boolean;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly etag: string;
}

/** Checked by the functions of check-provider.ts, as is every change. */
export interface CreateProviderInput {
  readonly tenant: string;
  readonly displayName: string;
  readonly kind: ProviderKind;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Empty: those of the kind. */
  readonly scopes: readonly string[];
  readonly redirectUris: readonly string[];
  readonly linkByVerifiedEmail: boolean;
  readonly allowSignUp: boolean;
  readonly disabled: boolean;
  /** Lower-case UUID; empty: not repeatable. */
  readonly requestId: string;
}

/** What is undefined stays as it is. */
export interface UpdateProviderInput {
  readonly tenant: string;
  readonly providerId: string;
  /** Empty: whatever it is now. */
  readonly etag: string;
  readonly displayName?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly redirectUris?: readonly string[] | undefined;
  readonly linkByVerifiedEmail?: boolean | undefined;
  readonly allowSignUp?: boolean | undefined;
  readonly disabled?: boolean | undefined;
}

export interface ProvidersPage {
  readonly providers: readonly Provider[];
  /** Empty: this is the last one. */
  readonly nextPageToken: string;
}

export interface BeginLoginInput {
  readonly tenant: string;
  readonly providerId: string;
  readonly redirectUri: string;
  readonly client: ClientDevice;
}

export interface BegunLogin {
  readonly kind: 'begun';
  readonly authorizationUrl: string;
  /** `fb_...`, a secret of the browser. */
  readonly browserBinding: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

export interface FinishLoginInput {
  readonly tenant: string;
  /** Of the callback, by name. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly browserBinding: string;
  readonly client: ClientDevice;
  readonly issue?: IssueRequest | undefined;
}

export interface FederationUseCases {
  /** Throws TENANT_NOT_FOUND, RESERVED_TENANT, REQUEST_ID_REUSED, LIMIT_EXCEEDED. */
  createProvider(call: CallContext, input: CreateProviderInput): Promise<Provider>;
  /** Throws TENANT_NOT_FOUND, PROVIDER_NOT_FOUND. */
  getProvider(call: CallContext, tenant: string, providerId: string): Promise<Provider>;
  /** Throws TENANT_NOT_FOUND, and INVALID_ARGUMENT for a page token that is none. */
  listProviders(
    call: CallContext,
    tenant: string,
    page: { readonly size: number; readonly token: string },
  ): Promise<ProvidersPage>;
  /** Throws TENANT_NOT_FOUND, PROVIDER_NOT_FOUND, PRECONDITION_FAILED. */
  updateProvider(call: CallContext, input: UpdateProviderInput): Promise<Provider>;
  /** `etag` empty: whatever it is now. Throws TENANT_NOT_FOUND, PROVIDER_NOT_FOUND, PRECONDITION_FAILED. */
  deleteProvider(call: CallContext, tenant: string, providerId: string, etag: string): Promise<void>;
  /**
   * Throws TENANT_NOT_FOUND, RESERVED_TENANT, PROVIDER_NOT_FOUND, PROVIDER_DISABLED, PROVIDER_MISCONFIGURED, INVALID_ARGUMENT for a redirect
   * URI that is none of the provider's, and UNAVAILABLE when the provider does not answer.
   */
  beginLogin(call: CallContext, input: BeginLoginInput): Promise<BegunLogin | Rejection>;
  /** Outcomes as of a password login. Throws TENANT_NOT_FOUND, RESERVED_TENANT, and UNAVAILABLE: the login must then begin again. */
  finishLogin(call: CallContext, input: FinishLoginInput): Promise<LoginOutcome>;
}
