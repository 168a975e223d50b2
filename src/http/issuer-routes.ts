import { DEFAULT_TENANT } from '../domain/tenant/tenant.ts';

// What each issuer publishes: its keys (RFC 7517) and where they are (RFC 8414, OpenID Connect Discovery). The tenant is in the path, as it is
// in the issuer.

export type IssuerDocument = 'jwks' | 'metadata';

const TENANT = '(?:/t/([a-z][a-z0-9-]{0,62}))?';
// RFC 8414 section 3.1 puts the well-known part before the path of the issuer; section 5 and OpenID Connect put it behind.
const ROUTES: readonly (readonly [RegExp, IssuerDocument])[] = [
  [new RegExp(`^${TENANT}/\\.well-known/jwks\\.json$`), 'jwks'],
  [new RegExp(`^${TENANT}/\\.well-known/(?:openid-configuration|oauth-authorization-server)$`), 'metadata'],
  [new RegExp(`^/\\.well-known/oauth-authorization-server${TENANT}$`), 'metadata'],
];

/** Which document of which tenant's issuer this path names; undefined: another route. */
export function issuerRoute(path: string): { readonly document: IssuerDocument; readonly tenant: string } | undefined {
  for (const [form, document] of ROUTES) {
    const match = form.exec(path);
    if (match !== null) return { document, tenant: match[1] ?? DEFAULT_TENANT };
  }
  return undefined;
}
