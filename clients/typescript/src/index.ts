export { CallError } from './call-error.ts';
export type { ClientOptions, TlsOptions } from './client-options.ts';
export {
  isAllowed,
  type PermissionChecks,
  type PermissionChecksOptions,
  type PermissionQuestion,
  type ResourceRef,
} from './permission-checks.ts';
export { Sallyport } from './sallyport.ts';
export type { CallOptions, ServiceClient } from './service-client.ts';
export type { AccessTokenClaims, CredentialFault, TokenVerdict } from './token-verdict.ts';
