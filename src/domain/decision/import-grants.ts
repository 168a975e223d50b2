import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import type { PolicyPorts } from './decision-ports.ts';
import type { GrantChange, ImportBatch } from './use-cases.ts';
import { writeGrants } from './write-grants.ts';

/**
 * Writes batch after batch, each atomically, the next one only after the one before is committed: so a peer that sends faster than the
 * store writes is held back. After a failure the batches before stay, and the error says how many they are.
 */
export async function importGrants(
  ports: PolicyPorts,
  call: CallContext,
  batches: AsyncIterable<ImportBatch>,
): Promise<{ readonly grantCount: number; readonly revision: string }> {
  let written = 0;
  let grantCount = 0;
  let revision = '';
  for await (const { tenant, grants, requestId } of batches) {
    const changes = grants.map((grant): GrantChange => ({ kind: 'put', grant: { ...grant, id: '' } }));
    try {
      ({ revision } = await writeGrants(ports, call, {
        tenant,
        changes,
        preconditions: [],
        allowMissing: false,
        requestId,
      }));
    } catch (error) {
      throw error instanceof DomainError ? inBatch(error, written) : error;
    }
    written += 1;
    grantCount += grants.length;
  }
  return { grantCount, revision };
}

/** The same error in the words of an import. */
function inBatch(error: DomainError, written: number): DomainError {
  const renamed = (text: string): string => text.replaceAll(/\bchanges\[(\d+)\]\.put_grant\b/g, 'grants[$1]');
  return new DomainError(error.reason, `message ${written + 1} of the import: ${renamed(error.message)}`, {
    metadata: { ...error.metadata, written: String(written) },
    violations: error.violations.map(({ field, description }) => ({ field: renamed(field), description })),
    violationCount: error.violationCount,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}
