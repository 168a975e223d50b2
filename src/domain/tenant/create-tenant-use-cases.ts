import type { KeyRing } from '../../crypto/key-ring.ts';
import type { Clock } from '../../platform/clock.ts';
import { auditEffect } from '../audit/audit-event.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import type { Outbox } from '../outbox.ts';
import { readPage } from '../page.ts';
import { requestIdentity } from '../request-id.ts';
import type { Store } from '../storage.ts';
import type { Updates } from '../update.ts';
import { Violations } from '../violations.ts';
import { deleteTenant } from './delete-tenant.ts';
import {
  DEFAULT_TENANT,
  type ForgettingTenantDirectory,
  SYSTEM_TENANT,
  type TenantDocument,
  tenantsOf,
} from './tenant.ts';
import { tenantChangedEffect } from './tenant-changed.ts';
import { etagOf, tenantChanged, tenantNotFound } from './tenant-etag.ts';
import { checkTenantSettings, effectiveSettings, storedSettings } from './tenant-settings.ts';
import type { CreateTenantInput, Tenant, TenantUseCases, UpdateTenantInput } from './use-cases.ts';

export interface TenantPorts {
  readonly store: Store;
  readonly updates: Updates;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly ring: KeyRing;
  readonly tenants: ForgettingTenantDirectory;
}

export function createTenantUseCases(ports: TenantPorts): TenantUseCases {
  return {
    createTenant: (call, input) => createTenant(ports, call, input),
    getTenant: async (call, tenant) => {
      const document = await tenantsOf(ports.store).get(SYSTEM_TENANT, tenant, call.signal);
      if (document === undefined || document.status === 'deleted') throw tenantNotFound(tenant);
      return toTenant(document);
    },
    listTenants: async (call, size, token) => {
      const page = await readPage('tenants', tenantsOf(ports.store), SYSTEM_TENANT, { size, token }, call.signal);
      const living = page.documents.filter(({ status }) => status !== 'deleted');
      return { tenants: living.map(toTenant), nextPageToken: page.nextPageToken };
    },
    updateTenant: (call, input) => updateTenant(ports, call, input),
    deleteTenant: (call, tenant, etag) => deleteTenant(ports, call, tenant, etag),
  };
}

/**
 * One insert, whose unique id makes one of however many at once; a kill leaves the tenant or none. Nothing is announced: nobody has
 * it in memory, and one that is believed missing is looked for again after a second.
 */
async function createTenant(ports: TenantPorts, call: CallContext, input: CreateTenantInput): Promise<Tenant> {
  checkSettings(input.settings);
  const now = ports.clock.now();
  const request = requestOf(ports, call, input);
  const draft = {
    tenant: SYSTEM_TENANT,
    id: input.tenant,
    schema: 1,
    keys: [input.tenant],
    createdAt: now,
    updatedAt: now,
    displayName: input.displayName === '' ? undefined : input.displayName,
    status: 'active',
    settings: storedSettings(input.settings),
    request,
  } as const;
  const inserted = await tenantsOf(ports.store).insert(draft, call.signal);
  if (inserted.kind === 'inserted') {
    ports.tenants.forget(input.tenant);
    return toTenant(inserted.document);
  }
  const first = await tenantsOf(ports.store).get(SYSTEM_TENANT, input.tenant, call.signal);
  if (request === undefined || first?.request?.id !== request.id) {
    throw new DomainError('ALREADY_EXISTS', `there is, or was, a tenant \`${input.tenant}\` already`);
  }
  if (first.request.digest === request.digest) return toTenant(first);
  throw new DomainError('REQUEST_ID_REUSED', 'this request_id was used before with another body; use a fresh one');
}

function requestOf(ports: TenantPorts, call: CallContext, input: CreateTenantInput): TenantDocument['request'] {
  if (input.requestId === '') return undefined;
  return requestIdentity(ports.ring, {
    method: 'CreateTenant',
    tenant: input.tenant,
    callerName: call.caller.name,
    requestId: input.requestId,
    body: { displayName: input.displayName, settings: storedSettings(input.settings) },
  });
}

/**
 * One swap, then its announcement to every replica, which the answer waits for. Of two at once with one etag one wins and the other is
 * PRECONDITION_FAILED; without an etag both happen in some order.
 */
async function updateTenant(ports: TenantPorts, call: CallContext, input: UpdateTenantInput): Promise<Tenant> {
  if (input.tenant === SYSTEM_TENANT) {
    throw new DomainError('RESERVED_TENANT', `tenant \`${SYSTEM_TENANT}\` is for calling services and has no settings`);
  }
  if (input.tenant === DEFAULT_TENANT && input.disabled === true) {
    throw new DomainError('RESERVED_TENANT', `tenant \`${DEFAULT_TENANT}\` cannot be disabled`);
  }
  if (input.settings !== undefined) checkSettings(input.settings);
  const now = ports.clock.now();
  const updated = await ports.updates.update<TenantDocument, 'written' | 'gone' | 'changed'>(
    'tenants',
    tenantsOf(ports.store),
    SYSTEM_TENANT,
    input.tenant,
    (current) => {
      if (current === undefined || current.status === 'deleted') return { kind: 'keep', result: 'gone' };
      if (input.etag !== '' && input.etag !== etagOf(current)) return { kind: 'keep', result: 'changed' };
      return { kind: 'write', draft: changed(call, current, input, now), result: 'written' };
    },
    call.signal,
  );
  if (updated.kind !== 'done' || updated.document === undefined || updated.result === 'gone') {
    throw tenantNotFound(input.tenant);
  }
  if (updated.result === 'changed') {
    throw tenantChanged();
  }
  ports.tenants.forget(input.tenant);
  await ports.outbox.settle('tenants', updated.document, call.signal);
  return toTenant(updated.document);
}

function changed(call: CallContext, current: TenantDocument, input: UpdateTenantInput, now: number): TenantDocument {
  const at = Math.max(now, current.updatedAt + 1);
  const facts = { tenant: current.id, type: 'tenant.changed', outcome: 'success', call, at } as const;
  const { displayName, settings, disabled } = input;
  return {
    ...current,
    updatedAt: at,
    displayName: displayName === undefined ? current.displayName : displayName === '' ? undefined : displayName,
    settings: settings === undefined ? current.settings : storedSettings(settings),
    status: disabled === undefined ? current.status : disabled ? 'disabled' : 'active',
    disabledAt: disabled === true && current.status === 'active' ? now : current.disabledAt,
    outbox: [...(current.outbox ?? []), tenantChangedEffect(current.id, at), auditEffect(facts, [current.id, at])],
  };
}

function checkSettings(settings: Tenant['settings']): void {
  const violations = new Violations();
  checkTenantSettings(settings, 'settings', violations);
  violations.throwIfAny();
}

function toTenant(document: TenantDocument): Tenant {
  return {
    name: document.id,
    displayName: document.displayName ?? '',
    disabled: document.status === 'disabled',
    settings: effectiveSettings(document.settings),
    createdAt: document.createdAt,
    etag: etagOf(document),
  };
}
