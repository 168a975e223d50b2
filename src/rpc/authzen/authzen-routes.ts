import { DEFAULT_TENANT } from '../../domain/tenant/tenant.ts';

// Where the Authorization API 1.0 of the OpenID AuthZEN working group is served: the tenant is in the path, `default` without one.

export type AuthzenEndpoint = 'evaluation' | 'evaluations' | 'search/subject' | 'search/resource' | 'search/action';

export type AuthzenRoute =
  | { readonly kind: 'endpoint'; readonly tenant: string; readonly endpoint: AuthzenEndpoint }
  | { readonly kind: 'metadata'; readonly tenant: string };

const ENDPOINT =
  /^(?:\/t\/([a-z][a-z0-9-]{0,62}))?\/access\/v1\/(evaluation|evaluations|search\/subject|search\/resource|search\/action)$/;
/** RFC 8615 as section 9.2 has it: inserted between host and path of the decision point's identifier. */
const METADATA = /^\/\.well-known\/authzen-configuration(?:\/t\/([a-z][a-z0-9-]{0,62}))?$/;

/** Undefined: a path of somebody else. */
export function authzenRoute(path: string): AuthzenRoute | undefined {
  const endpoint = ENDPOINT.exec(path);
  if (endpoint !== null) {
    return { kind: 'endpoint', tenant: endpoint[1] ?? DEFAULT_TENANT, endpoint: endpoint[2] as AuthzenEndpoint };
  }
  const metadata = METADATA.exec(path);
  return metadata === null ? undefined : { kind: 'metadata', tenant: metadata[1] ?? DEFAULT_TENANT };
}

/** Section 9.1. `issuer` is that of tenant `default`, without a slash at its end. */
export function authzenMetadata(issuer: string, tenant: string): object {
  const base = tenant === DEFAULT_TENANT ? issuer : `${issuer}/t/${tenant}`;
  return {
    policy_decision_point: base,
    access_evaluation_endpoint: `${base}/access/v1/evaluation`,
    access_evaluations_endpoint: `${base}/access/v1/evaluations`,
    search_subject_endpoint: `${base}/access/v1/search/subject`,
    search_resource_endpoint: `${base}/access/v1/search/resource`,
    search_action_endpoint: `${base}/access/v1/search/action`,
  };
}
