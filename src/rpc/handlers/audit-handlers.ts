import { create } from '@bufbuild/protobuf';
import {
  type AuditService,
  ListEventsResponseSchema,
  WatchEventsResponseSchema,
} from '../../../gen/sallyport/v1/audit_pb.ts';
import type { AuditUseCases } from '../../domain/audit/use-cases.ts';
import { toAuditEvent } from '../convert/to-audit-event.ts';
import type { Handlers } from '../method.ts';
import { parseListEvents, parseWatchEvents } from '../parse/parse-audit.ts';

export function auditHandlers(audit: AuditUseCases): Handlers<typeof AuditService> {
  return {
    listEvents: async (call, request) => {
      const { events, nextPageToken } = await audit.listEvents(call, parseListEvents(request));
      return create(ListEventsResponseSchema, { events: events.map(toAuditEvent), nextPageToken });
    },
    async *watchEvents(call, request) {
      for await (const event of audit.watchEvents(call, parseWatchEvents(request))) {
        yield create(WatchEventsResponseSchema, { event: event === undefined ? undefined : toAuditEvent(event) });
      }
    },
  };
}
