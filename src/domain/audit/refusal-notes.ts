import type { Clock } from '../../platform/clock.ts';
import { createFloodBounds } from '../../platform/flood-bounds.ts';
import type { AuditNotes } from './audit-buffer.ts';
import type { AuditedCall } from './audit-event.ts';
import { callerRefused } from './audit-events.ts';

// Refused callers as events, bounded: of the same refusal over and over the trail keeps the first and one a second, the others are counted
// as dropped.

/** Notes a refusal, or counts it. Never throws, never waits. */
export type NoteRefusal = (
  call: AuditedCall,
  refused: Parameters<typeof callerRefused>[1],
  method: string,
  peer: string,
) => void;

export interface RefusalNotesPorts {
  readonly audit: AuditNotes;
  readonly clock: Clock;
}

export function createRefusalNotes({ audit, clock }: RefusalNotesPorts): NoteRefusal {
  const isKept = createFloodBounds(clock);
  return (call, refused, method, peer) => {
    const source = refusalSource(refused.reason, call.caller.name, method, peer);
    if (isKept(refused.reason, source)) audit.note(callerRefused(call, refused, method, peer, clock.now()));
    else audit.drop();
  };
}

/** A service that was denied is known: it counts by its name and what it tried, not by where it runs. Others count by their address. */
export function refusalSource(reason: string, caller: string, method: string, peer: string): string {
  return reason === 'CALLER_NOT_PERMITTED' ? `${caller}\n${method}` : peer;
}
