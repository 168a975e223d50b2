import type {
  ExportGrantsRequest,
  ImportGrantsRequest,
  WatchChangesRequest,
} from '../../../gen/sallyport/v1/policy_pb.ts';
import type { DecisionUseCases, ImportBatch } from '../../domain/decision/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import type { Clock } from '../../platform/clock.ts';
import { parseFilter, parseGrant } from './parse-grant-changes.ts';
import { parseRequestId, parseRevision } from './parse-text.ts';

export function parseWatchChanges(request: WatchChangesRequest): Parameters<DecisionUseCases['watchChanges']>[1] {
  const violations = new Violations();
  const input = {
    tenant: parseTenantId(request.tenant, violations),
    afterRevision: parseRevision(request.afterRevision, 'after_revision', violations),
  };
  violations.throwIfAny();
  return input;
}

export function parseExportGrants(request: ExportGrantsRequest): Parameters<DecisionUseCases['exportGrants']>[1] {
  const violations = new Violations();
  const input = {
    tenant: parseTenantId(request.tenant, violations),
    filter: parseFilter(request.filter, 'filter', violations),
    atLeastRevision: parseRevision(request.atLeastRevision, 'at_least_revision', violations),
  };
  violations.throwIfAny();
  return input;
}

/** Each message is parsed when the one before has been written. */
export async function* parseImports(
  requests: AsyncIterable<ImportGrantsRequest>,
  clock: Clock,
): AsyncGenerator<ImportBatch, void, undefined> {
  for await (const request of requests) yield parseImport(request, clock.now());
}

function parseImport({ tenant, grants, requestId }: ImportGrantsRequest, now: number): ImportBatch {
  const violations = new Violations();
  if (grants.length === 0 || grants.length > limits.changesPerWrite) {
    violations.add('grants', `must be 1 to ${limits.changesPerWrite}, were ${grants.length}`);
    violations.throwIfAny();
  }
  const batch = {
    tenant: parseTenantId(tenant, violations),
    grants: grants.map((grant, index) => parseGrant(grant, `grants[${index}]`, now, violations)),
    requestId: parseRequestId(requestId, violations),
  };
  violations.throwIfAny();
  return batch;
}
