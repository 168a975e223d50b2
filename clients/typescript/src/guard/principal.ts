/** Who a request is from. To decide what they may do, ask Sallyport: `requirePermission` or `can`. */
export interface Principal {
  /** Example: `{ type: 'user', id: 'Vq3ZxR2m8vYc5nT7kLwAgQ' }`. */
  readonly subject: { readonly type: string; readonly id: string };
  readonly tenant: string;
  /** What the request came with. */
  readonly via: 'session' | 'accessToken' | 'apiKey';
  /** Session of the cookie or token; id of the API key. */
  readonly sessionId: string;
  /** What the credential is narrowed to; empty: not narrowed. */
  readonly scopes: readonly string[];
  /** How the user logged in (RFC 8176), for example `pwd`, `otp`; empty for API keys and where a caller vouched. */
  readonly amr: readonly string[];
  /** When; undefined likewise. */
  readonly authenticatedAt: Date | undefined;
}
