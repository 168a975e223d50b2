import { create } from '@bufbuild/protobuf';
import {
  ApplyPolicyResponseSchema,
  ExportGrantsResponseSchema,
  GetPolicyResponseSchema,
  ImportGrantsResponseSchema,
  type ListGrantsRequest,
  ListGrantsResponseSchema,
  ListPolicyVersionsResponseSchema,
  type PolicyService,
  type WriteGrantsRequest,
  WriteGrantsResponseSchema,
} from '../../../gen/sallyport/v1/policy_pb.ts';
import type { DecisionUseCases, WriteGrantsInput } from '../../domain/decision/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import type { Clock } from '../../platform/clock.ts';
import { toNotice } from '../convert/to-change.ts';
import { toGrant, toPolicy, toPolicyVersion, toTestResult } from '../convert/to-policy.ts';
import type { Handlers } from '../method.ts';
import { parseChanges, parseFilter, parsePreconditions } from '../parse/parse-grant-changes.ts';
import { parseExportGrants, parseImports, parseWatchChanges } from '../parse/parse-grant-streams.ts';
import { parseApplyPolicy, parseGetPolicy, parseListVersions } from '../parse/parse-policy.ts';
import { optionalText, parseRequestId, parseRevision } from '../parse/parse-text.ts';

/** Grants of a page when the request names no size. */
const DEFAULT_PAGE_SIZE = 100;
/** Etags and page tokens are ours; what is longer is not. */
const TOKEN_CHARS = 1024;

type ListGrantsInput = Parameters<DecisionUseCases['listGrants']>[1];

export function policyHandlers(
  decisions: Pick<
    DecisionUseCases,
    | 'applyPolicy'
    | 'getPolicy'
    | 'listPolicyVersions'
    | 'writeGrants'
    | 'listGrants'
    | 'watchChanges'
    | 'importGrants'
    | 'exportGrants'
  >,
  clock: Clock,
): Handlers<typeof PolicyService> {
  return {
    applyPolicy: async (call, request) => {
      const stored = await decisions.applyPolicy(call, parseApplyPolicy(request));
      const { revision, results } = stored;
      const policy = toPolicy(stored, request.dryRun);
      return create(ApplyPolicyResponseSchema, { policy, revision, results: results.map(toTestResult) });
    },
    getPolicy: async (call, request) => {
      const stored = await decisions.getPolicy(call, parseGetPolicy(request));
      return create(GetPolicyResponseSchema, { policy: toPolicy(stored), revision: stored.revision });
    },
    listPolicyVersions: async (call, request) => {
      const { versions, ...rest } = await decisions.listPolicyVersions(call, parseListVersions(request));
      return create(ListPolicyVersionsResponseSchema, { versions: versions.map(toPolicyVersion), ...rest });
    },
    writeGrants: async (call, request) => {
      const { revision, grantIds } = await decisions.writeGrants(call, parseWriteGrants(request, clock.now()));
      return create(WriteGrantsResponseSchema, { revision, grantIds: [...grantIds] });
    },
    listGrants: async (call, request) => {
      const { grants, nextPageToken, revision } = await decisions.listGrants(call, parseListGrants(request));
      return create(ListGrantsResponseSchema, { grants: grants.map(toGrant), nextPageToken, revision });
    },
    watchChanges: async function* (call, request) {
      for await (const notice of decisions.watchChanges(call, parseWatchChanges(request))) yield toNotice(notice);
    },
    importGrants: async (call, requests) => {
      const { grantCount, revision } = await decisions.importGrants(call, parseImports(requests, clock));
      return create(ImportGrantsResponseSchema, { grantCount: BigInt(grantCount), revision });
    },
    exportGrants: async function* (call, request) {
      for await (const { grants, revision } of decisions.exportGrants(call, parseExportGrants(request))) {
        yield create(ExportGrantsResponseSchema, { grants: grants.map(toGrant), revision });
      }
    },
  };
}

function parseWriteGrants(request: WriteGrantsRequest, now: number): WriteGrantsInput {
  const violations = new Violations();
  const input: WriteGrantsInput = {
    tenant: parseTenantId(request.tenant, violations),
    changes: parseChanges(request.changes, now, violations),
    preconditions: parsePreconditions(request.preconditions, violations),
    allowMissing: request.allowMissing,
    requestId: parseRequestId(request.requestId, violations),
  };
  violations.throwIfAny();
  return input;
}

function parseListGrants(request: ListGrantsRequest): ListGrantsInput {
  const violations = new Violations();
  const { pageSize } = request;
  if (pageSize < 0 || pageSize > limits.pageSize) {
    violations.add('page_size', `must be 1 to ${limits.pageSize}, or 0 for ${DEFAULT_PAGE_SIZE}`);
  }
  const input: ListGrantsInput = {
    tenant: parseTenantId(request.tenant, violations),
    filter: parseFilter(request.filter, 'filter', violations),
    pageSize: pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize,
    pageToken: optionalText(request.pageToken, 'page_token', TOKEN_CHARS, violations),
    atLeastRevision: parseRevision(request.atLeastRevision, 'at_least_revision', violations),
  };
  violations.throwIfAny();
  return input;
}
