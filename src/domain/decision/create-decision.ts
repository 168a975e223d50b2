import { applyPolicy } from './apply-policy.ts';
import { authorize } from './authorize.ts';
import { batchAuthorize } from './batch-authorize.ts';
import type { DecidePorts, PolicyPorts, WatchPorts } from './decision-ports.ts';
import { exportGrants } from './export-grants.ts';
import { getPolicy } from './get-policy.ts';
import { importGrants } from './import-grants.ts';
import { listGrants } from './list-grants.ts';
import { listPermissions, listResources, listSubjects } from './list-permitted.ts';
import { listPolicyVersions } from './list-policy-versions.ts';
import type { DecisionUseCases } from './use-cases.ts';
import { watchChanges } from './watch-changes.ts';
import { writeGrants } from './write-grants.ts';

/** Decisions, and what they are made from. */
export function createDecision(ports: DecidePorts & PolicyPorts & WatchPorts): DecisionUseCases {
  return {
    authorize: (call, input) => authorize(ports, call, input),
    batchAuthorize: (call, input) => batchAuthorize(ports, call, input),
    listPermissions: (call, input) => listPermissions(ports, call, input),
    listResources: (call, input) => listResources(ports, call, input),
    listSubjects: (call, input) => listSubjects(ports, call, input),
    applyPolicy: (call, input) => applyPolicy(ports, call, input),
    getPolicy: (call, input) => getPolicy(ports, call, input),
    listPolicyVersions: (call, input) => listPolicyVersions(ports, call, input),
    writeGrants: (call, input) => writeGrants(ports, call, input),
    listGrants: (call, input) => listGrants(ports, call, input),
    watchChanges: (call, input) => watchChanges(ports, call, input),
    importGrants: (call, batches) => importGrants(ports, call, batches),
    exportGrants: (call, input) => exportGrants(ports, call, input),
  };
}
