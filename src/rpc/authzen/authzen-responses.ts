import type { Message } from '@bufbuild/protobuf';
import type {
  AuthorizeResponse,
  BatchAuthorizeResponse,
  ListPermissionsResponse,
  ListResourcesResponse,
  ListSubjectsResponse,
} from '../../../gen/sallyport/v1/authorization_pb.ts';
import { type Decision, DecisionReason, Effect } from '../../../gen/sallyport/v1/decision_pb.ts';
import { type ErrorName, statusCodes } from '../status-code.ts';
import { actionOf } from './authzen-names.ts';
import type { AuthzenRequest, Semantic } from './authzen-requests.ts';

// Answers of AuthorizationService as AuthZEN's. A decision without a context is the common case; what a caller can act on (attributes
// that are missing, an item that failed) is always said, the reason when it was asked for.

export function authzenResponse(request: AuthzenRequest, response: Message): object {
  switch (request.endpoint) {
    case 'evaluation': {
      const { decision, explanation } = response as AuthorizeResponse;
      return evaluation(decision, request.explain, explanation?.steps);
    }
    case 'evaluations': {
      const { decisions } = response as BatchAuthorizeResponse;
      const evaluations = decisions.map((each) => evaluation(each, request.explain));
      return request.isBoxcar
        ? { evaluations: until(evaluations, request.semantic) }
        : (evaluations[0] ?? { decision: false });
    }
    case 'search/subject': {
      const { subjects, nextPageToken, complete } = response as ListSubjectsResponse;
      return found(
        subjects.map(({ type, id }) => ({ type, id })),
        nextPageToken,
        complete,
      );
    }
    case 'search/resource': {
      const { resources, nextPageToken, complete } = response as ListResourcesResponse;
      return found(
        resources.map(({ type, id }) => ({ type, id })),
        nextPageToken,
        complete,
      );
    }
    case 'search/action': {
      const { permissions, nextPageToken, complete } = response as ListPermissionsResponse;
      return found(
        permissions.map((each) => ({ name: actionOf(each, request.resourceType) })),
        nextPageToken,
        complete,
      );
    }
  }
}

interface Evaluation {
  readonly decision: boolean;
  readonly context?: object;
}

/** Only ALLOW is true: whatever else a decision holds is false. */
function evaluation(decision: Decision | undefined, explain: boolean, steps: readonly string[] = []): Evaluation {
  const allowed = decision?.effect === Effect.ALLOW;
  if (decision?.error !== undefined) {
    const { code, message } = decision.error;
    const name = Object.entries(statusCodes).find(([, number]) => number === code)?.[0] as ErrorName | undefined;
    return { decision: false, context: { error: { status: httpStatus(name ?? 'INTERNAL'), message } } };
  }
  const missing = decision?.missingContext ?? [];
  if (!explain && missing.length === 0) return { decision: allowed };
  const reason = Object.entries(DecisionReason).find(([, number]) => number === decision?.reason)?.[0] ?? 'UNSPECIFIED';
  return {
    decision: allowed,
    context: {
      reason,
      ...(missing.length === 0 ? {} : { missing_context: missing }),
      ...(steps.length === 0 ? {} : { steps }),
    },
  };
}

/** Section 7.1.2.1: the answer ends with the first one that settles the whole. */
function until(evaluations: readonly Evaluation[], semantic: Semantic): readonly Evaluation[] {
  if (semantic === 'execute_all') return evaluations;
  const settles = semantic === 'permit_on_first_permit';
  const last = evaluations.findIndex(({ decision }) => decision === settles);
  return last === -1 ? evaluations : evaluations.slice(0, last + 1);
}

/** Said only where there may be more than is listed, on any page: see PermittedOutcome. */
function found(results: readonly object[], nextToken: string, complete: boolean): object {
  const context = complete ? {} : { context: { complete: false } };
  return { results, page: { next_token: nextToken, count: results.length }, ...context };
}

/** Section 10.1: errors speak of the request, never of the decision. */
export function httpStatus(name: ErrorName): number {
  switch (name) {
    case 'INVALID_ARGUMENT':
    case 'FAILED_PRECONDITION':
    case 'OUT_OF_RANGE':
      return 400;
    case 'UNAUTHENTICATED':
      return 401;
    case 'PERMISSION_DENIED':
      return 403;
    case 'NOT_FOUND':
      return 404;
    case 'ALREADY_EXISTS':
    case 'ABORTED':
      return 409;
    case 'RESOURCE_EXHAUSTED':
      return 429;
    case 'CANCELLED':
      return 499;
    case 'UNAVAILABLE':
      return 503;
    case 'DEADLINE_EXCEEDED':
      return 504;
    case 'UNKNOWN':
    case 'UNIMPLEMENTED':
    case 'INTERNAL':
    case 'DATA_LOSS':
      return 500;
  }
}
