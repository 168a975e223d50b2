import { create } from '@bufbuild/protobuf';
import {
  type AuthorizationService,
  type AuthorizeRequest,
  type BatchAuthorizeItem,
  type BatchAuthorizeRequest,
  BatchAuthorizeResponseSchema,
  ListPermissionsResponseSchema,
  ListResourcesResponseSchema,
  ListSubjectsResponseSchema,
} from '../../../gen/sallyport/v1/authorization_pb.ts';
import { DecisionReason as Reason } from '../../../gen/sallyport/v1/decision_pb.ts';
import type { AuthorizeInput, BatchItem, DecisionUseCases, PermittedOutcome } from '../../domain/decision/use-cases.ts';
import { DomainError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import type { Clock } from '../../platform/clock.ts';
import { toAuthorizeResponse } from '../convert/to-authorize-response.ts';
import { toBatchDecision } from '../convert/to-decision.ts';
import { mapAnswer } from '../map-answer.ts';
import type { Handlers } from '../method.ts';
import { parseContextualGrants } from '../parse/parse-grant-changes.ts';
import { parseListPermissions, parseListResources, parseListSubjects } from '../parse/parse-permitted.ts';
import { type ParsedPrincipal, parsePrincipal } from '../parse/parse-principal.ts';
import { parseQuestion } from '../parse/parse-question.ts';
import { parseRevision } from '../parse/parse-text.ts';

export function authorizationHandlers(
  decisions: Pick<
    DecisionUseCases,
    'authorize' | 'batchAuthorize' | 'listPermissions' | 'listResources' | 'listSubjects'
  >,
  clock: Clock,
): Handlers<typeof AuthorizationService> {
  return {
    authorize: (call, request) =>
      mapAnswer(decisions.authorize(call, parseAuthorize(request, clock)), toAuthorizeResponse),
    batchAuthorize: (call, request) =>
      mapAnswer(decisions.batchAuthorize(call, parseBatch(request, clock)), ({ answers, revision }) =>
        create(BatchAuthorizeResponseSchema, { decisions: answers.map(toBatchDecision), revision }),
      ),
    listPermissions: async (call, request) => {
      const { items, ...page } = await decisions.listPermissions(call, parseListPermissions(request));
      return create(ListPermissionsResponseSchema, { permissions: [...items], ...listed(page) });
    },
    listResources: async (call, request) => {
      const { items, ...page } = await decisions.listResources(call, parseListResources(request));
      return create(ListResourcesResponseSchema, { resources: [...items], ...listed(page) });
    },
    listSubjects: async (call, request) => {
      const { items, nextPageToken, complete, revision } = await decisions.listSubjects(
        call,
        parseListSubjects(request),
      );
      return create(ListSubjectsResponseSchema, {
        subjects: items.map(({ type, id }) => ({ type, id })),
        nextPageToken,
        complete,
        revision,
      });
    },
  };
}

function listed({ nextPageToken, complete, revision, refusal }: Omit<PermittedOutcome<never>, 'items'>) {
  return { nextPageToken, complete, revision, refusal: refusal === undefined ? Reason.UNSPECIFIED : Reason[refusal] };
}

function parseAuthorize(request: AuthorizeRequest, clock: Clock): AuthorizeInput {
  const violations = new Violations();
  const who = parsePrincipal(request.principal, 'principal', violations);
  const question = parseQuestion(who, request, '', violations);
  const input = {
    tenant: parseTenantId(request.tenant, violations),
    principal: question.principal,
    permission: question.permission,
    resource: question.resource,
    context: question.context,
    subjectProperties: question.subjectProperties,
    resourceProperties: question.resourceProperties,
    atLeastRevision: parseRevision(request.atLeastRevision, 'at_least_revision', violations),
    explain: request.explain,
    contextualGrants: contextualGrants(request, clock, violations),
  };
  violations.throwIfAny();
  return input;
}

/** The clock is read only where there are any. */
function contextualGrants(
  { contextualGrants: values }: AuthorizeRequest | BatchAuthorizeRequest,
  clock: Clock,
  violations: Violations,
) {
  return values.length === 0 ? undefined : parseContextualGrants(values, clock.now(), violations);
}

function parseBatch(request: BatchAuthorizeRequest, clock: Clock): Parameters<DecisionUseCases['batchAuthorize']>[1] {
  const violations = new Violations();
  const { items } = request;
  if (items.length === 0) violations.add('items', `is required: 1 to ${limits.batchItems}`);
  if (items.length > limits.batchItems) {
    violations.add('items', `must be at most ${limits.batchItems}, were ${items.length}`);
  }
  const tenant = parseTenantId(request.tenant, violations);
  const atLeastRevision = parseRevision(request.atLeastRevision, 'at_least_revision', violations);
  const shared =
    request.principal === undefined ? undefined : parsePrincipal(request.principal, 'principal', violations);
  const contextual = contextualGrants(request, clock, violations);
  violations.throwIfAny();
  return {
    tenant,
    atLeastRevision,
    contextualGrants: contextual,
    items: items.map((item, index) => parseItem(item, index, request, shared)),
  };
}

/** A bad item is its own answer; the others are decided. */
function parseItem(
  item: BatchAuthorizeItem,
  index: number,
  request: BatchAuthorizeRequest,
  shared: ParsedPrincipal | undefined,
): BatchItem {
  const violations = new Violations();
  const prefix = `items[${index}]`;
  const who =
    item.principal === undefined && shared !== undefined
      ? shared
      : parsePrincipal(item.principal, `${prefix}.principal`, violations);
  const { permission, resource, context = request.context } = item;
  const question = parseQuestion(who, { permission, resource, context }, `${prefix}.`, violations);
  try {
    violations.throwIfAny();
    return { kind: 'question', question };
  } catch (error) {
    if (error instanceof DomainError) return { kind: 'invalid', description: error.message };
    throw error;
  }
}
