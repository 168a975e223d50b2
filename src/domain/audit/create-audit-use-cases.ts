import type { Clock } from '../../platform/clock.ts';
import type { Store } from '../storage.ts';
import type { TenantDirectory } from '../tenant/tenant.ts';
import { listEvents } from './list-events.ts';
import type { AuditUseCases } from './use-cases.ts';
import { watchEvents } from './watch-events.ts';

export interface AuditPorts {
  readonly store: Pick<Store, 'auditTrail'>;
  readonly tenants: TenantDirectory;
  readonly clock: Clock;
}

export function createAuditUseCases(ports: AuditPorts): AuditUseCases {
  return {
    listEvents: (call, input) => listEvents(ports, call, input),
    watchEvents: (call, input) => watchEvents(ports, call, input),
  };
}
