import { Authorization, type CheckRequest } from '../../../gen/envoy/service/auth/v3/external_auth_pb.ts';
import { checkRequest, type GatewayPorts, type GatewayVerdict, UNTABLED } from '../../domain/gateway/check-request.ts';
import type { TenantRoutes } from '../../domain/gateway/route.ts';
import { DEFAULT_TENANT } from '../../domain/tenant/tenant.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { type ImplementedService, implement } from '../method.ts';
import { toCheckResponse } from './to-check-response.ts';
import { toHttpRequest } from './to-http-request.ts';

// envoy.service.auth.v3: Envoy asks about each request before it passes it on. Envoy is a caller like any other; whom the request is
// from is another question, and the request answers it.

/** In Envoy's configuration, `context_extensions` of the filter or of a route name the tenant. */
const TENANT_EXTENSION = 'tenant';

const NO_REQUEST: GatewayVerdict = { kind: 'refused', refusal: 'malformed', reason: 'MALFORMED' };

export interface EnvoyAuthorizationPorts extends GatewayPorts {
  readonly metrics: Metrics;
  /** Undefined: there is no table, and every tenant is judged by method and path alone. */
  readonly routes: ReadonlyMap<string, TenantRoutes> | undefined;
}

export function envoyAuthorization(ports: EnvoyAuthorizationPorts): ImplementedService {
  const { routes } = ports;
  const count = ports.metrics.counter({
    name: 'gateway_checks_total',
    help: 'Requests that a gateway asked about, by what became of them.',
    labels: {
      outcome: ['allowed', 'malformed', 'too_large', 'unauthenticated', 'forbidden', 'limited', 'unavailable'],
    },
  });
  const service = implement(Authorization, {
    check: async (call, request) => {
      const tenant = tenantOf(request);
      const http = toHttpRequest(request.attributes);
      const table = routes === undefined ? UNTABLED : routes.get(tenant);
      const verdict = http === undefined ? NO_REQUEST : await checkRequest(ports, call, tenant, table, http);
      count({ outcome: verdict.kind === 'allowed' ? verdict.kind : verdict.refusal }).add();
      return toCheckResponse(verdict, tenant, http?.headers, call.requestId);
    },
  });
  return { ...service, tenantOf: (request) => tenantOf(request as CheckRequest) };
}

function tenantOf(request: CheckRequest): string {
  return request.attributes?.contextExtensions[TENANT_EXTENSION] || DEFAULT_TENANT;
}
