import { furtherPermissionsOf } from '../domain/caller/access-table.ts';
import type { PermitCaller } from '../domain/caller/caller-ports.ts';
import { DomainError } from '../domain/errors.ts';
import { parseTenantId } from '../domain/tenant/tenant.ts';
import { Violations } from '../domain/violations.ts';
import type { RpcCall } from './rpc-call.ts';
import type { Step } from './step.ts';

// May this caller call this method on this tenant: the method's permission, then those of fields that do more.

export function permitStep(permit: PermitCaller): Step {
  return (call) => {
    const { rule } = call.method;
    if (rule.kind === 'public') return undefined;
    const tenant = rule.onTenant ?? requestedTenant(call);
    const signal = (): AbortSignal => call.signal;
    const first = permit(call.caller, rule.permission, tenant, signal);
    if (first === false) throw notPermitted(call, rule.permission, tenant);
    const further = furtherPermissionsOf(rule.further, call.decoded());
    if (first === true && further.length === 0) return undefined;
    return inTurn(call, permit, [first, rule.permission], further, tenant);
  };
}

async function inTurn(
  call: RpcCall,
  permit: PermitCaller,
  first: readonly [boolean | Promise<boolean>, string],
  further: readonly string[],
  tenant: string,
): Promise<void> {
  if (!(await first[0])) throw notPermitted(call, first[1], tenant);
  for (const permission of further) {
    if (!(await permit(call.caller, permission, tenant, () => call.signal)))
      throw notPermitted(call, permission, tenant);
  }
}

/** Every other request of the contract has a field `tenant`, and a foreign one its own place for it; it is parsed before the permission is asked, because it is part of the question. */
function requestedTenant(call: RpcCall): string {
  const request: object = call.decoded();
  const value: unknown = call.method.tenantOf?.(call.decoded()) ?? ('tenant' in request ? request.tenant : undefined);
  if (typeof value !== 'string') throw new Error(`${call.method.path} has no field tenant to be checked against`);
  const violations = new Violations();
  const tenant = parseTenantId(value, violations);
  violations.throwIfAny();
  return tenant;
}

function notPermitted(call: RpcCall, permission: string, tenant: string): DomainError {
  return new DomainError(
    'CALLER_NOT_PERMITTED',
    `${call.caller.name} may not call ${call.method.label} for tenant ${tenant}: it needs the permission ${permission}, ` +
      `from a role granted in tenant sallyport on the resource tenant:${tenant}`,
    { metadata: { permission, tenant } },
  );
}
