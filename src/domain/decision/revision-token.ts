import { DomainError } from '../errors.ts';

// A consistency token names a state of one tenant: tenant, incarnation of its log, revision. The incarnation tells a log that was
// begun anew (a store replaced by another) from the one that gave the token, whose revisions mean nothing there.

const FORM = /^([a-z][a-z0-9-]{0,62})\.([A-Za-z0-9_-]{0,16})\.([0-9a-z]{1,11})$/;

export interface RevisionToken {
  readonly tenant: string;
  /** Empty while the log is. */
  readonly incarnation: string;
  readonly revision: number;
}

export function formatRevision({ tenant, incarnation, revision }: RevisionToken): string {
  return `${tenant}.${incarnation}.${revision.toString(36)}`;
}

/** Throws INVALID_ARGUMENT, naming `field`, for anything but what `formatRevision` made. */
export function parseRevision(token: string, field: string): RevisionToken {
  const [, tenant, incarnation, text] = FORM.exec(token) ?? [];
  const revision = Number.parseInt(text ?? '', 36);
  if (tenant === undefined || incarnation === undefined || !Number.isSafeInteger(revision)) {
    const description = 'is not a revision that an answer of this service gave';
    throw new DomainError('INVALID_ARGUMENT', `${field}: ${description}`, { violations: [{ field, description }] });
  }
  return { tenant, incarnation, revision };
}

/**
 * How many revisions `current` still lacks to be `wanted` or newer; 0 or less: none. Throws REVISION_UNKNOWN when `wanted` is of another
 * tenant or another incarnation. Revision 0 is older than everything of its tenant.
 */
export function revisionsBehind(current: RevisionToken, wanted: RevisionToken): number {
  const isOther = wanted.incarnation !== current.incarnation && wanted.revision > 0 && current.revision > 0;
  if (wanted.tenant !== current.tenant || isOther) {
    throw new DomainError(
      'REVISION_UNKNOWN',
      'the revision is of another tenant, or of a log that this store does not hold',
    );
  }
  return wanted.revision - current.revision;
}
