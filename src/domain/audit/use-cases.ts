import type { CallContext } from '../call.ts';
import type { ListPage } from '../page-token.ts';
import type { AuditEvent, AuditFilter } from '../storage.ts';

// Reading the audit trail of a tenant.

export interface ListEventsInput {
  readonly filter: AuditFilter;
  readonly page: ListPage;
}

export interface WatchEventsInput {
  /** `from` undefined: from now on. `to` is not used. */
  readonly filter: AuditFilter;
}

export interface AuditUseCases {
  /** In order of time, as the filter says. Throws TENANT_NOT_FOUND, and INVALID_ARGUMENT for a page token of another list. */
  listEvents(
    call: CallContext,
    input: ListEventsInput,
  ): Promise<{ readonly events: readonly AuditEvent[]; readonly nextPageToken: string }>;
  /** Events as they are recorded, each once in one watch; undefined: a heartbeat. Ends with the call. Throws TENANT_NOT_FOUND. */
  watchEvents(call: CallContext, input: WatchEventsInput): AsyncIterable<AuditEvent | undefined>;
}
