import { AuditOutcome, type ListEventsRequest, type WatchEventsRequest } from '../../../gen/sallyport/v1/audit_pb.ts';
import type { ListEventsInput, WatchEventsInput } from '../../domain/audit/use-cases.ts';
import type { AuditFilter } from '../../domain/storage.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { parsePage } from './parse-page.ts';
import { optionalText } from './parse-text.ts';
import { parseTime } from './parse-time.ts';

const SUBJECT_CHARS = 400;
const TYPE_CHARS = 64;

const outcomes: Readonly<Partial<Record<AuditOutcome, AuditFilter['outcome']>>> = {
  [AuditOutcome.SUCCESS]: 'success',
  [AuditOutcome.FAILURE]: 'failure',
  [AuditOutcome.DENIED]: 'denied',
};

export function parseListEvents(request: ListEventsRequest): ListEventsInput {
  const violations = new Violations();
  const to = parseTime(request.endTime, 'end_time', violations);
  const filter = { ...parseFilter(request, violations), to, newestFirst: request.newestFirst };
  const page = parsePage(request, violations);
  violations.throwIfAny();
  return { filter, page };
}

export function parseWatchEvents(request: WatchEventsRequest): WatchEventsInput {
  const violations = new Violations();
  const filter = parseFilter(request, violations);
  violations.throwIfAny();
  return { filter };
}

function parseFilter(request: ListEventsRequest | WatchEventsRequest, violations: Violations): AuditFilter {
  const subject = optionalText(request.subject, 'subject', SUBJECT_CHARS, violations);
  const type = optionalText(request.type, 'type', TYPE_CHARS, violations);
  const outcome = outcomes[request.outcome];
  if (request.outcome !== AuditOutcome.UNSPECIFIED && outcome === undefined) {
    violations.add('outcome', 'must be SUCCESS, FAILURE or DENIED, or unspecified for any');
  }
  return {
    tenant: parseTenantId(request.tenant, violations),
    from: parseTime(request.startTime, 'start_time', violations),
    subject: subject === '' ? undefined : subject,
    type: type === '' ? undefined : type,
    outcome,
  };
}
