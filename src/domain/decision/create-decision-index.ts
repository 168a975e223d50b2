import type { Json } from '../storage.ts';
import { decide } from './decide.ts';
import type { DecisionIndex } from './decision-index.ts';
import { DecisionWork, MAX_CALL_WORK } from './decision-work.ts';
import { explain } from './explain.ts';
import { readSnapshot, snapshotIndex } from './index-snapshot.ts';
import { IndexState } from './index-state.ts';
import { listSlots, selectedSlots } from './list-slots.ts';
import { listPermissions, listResources, listSubjects } from './permitted.ts';
import { decodePolicyEntry } from './policy-log.ts';
import type { Grant, Policy } from './use-cases.ts';

/** Slots left behind by removed grants, or names that nothing speaks of, before a rebuild is worth it. */
const WASTE_ALLOWED = 65_536;
/** A grant names a subject, a set's base, a resource, a role and a condition at most; a fact two names. */
const NAMES_PER_GRANT = 5;
const NAMES_PER_FACT = 2;

/** The index as replication sees it: it alone changes it. */
export interface ChangingDecisionIndex extends DecisionIndex {
  /**
   * Applies the entry after `revision`, in place and at once. Throws UnreadableEntryError, with nothing changed, for an entry that this
   * release does not know.
   */
  apply(entry: { readonly revision: number; readonly at: number; readonly body: Json }): void;
  /** Takes over one chunk of a snapshot, in order, into an empty index; `restored` ends that. */
  restore(chunk: string): void;
  /** The chunks were complete: they were the state at `revision`. */
  restored(revision: number): void;
  /** Chunks of the state as it is when the first is taken; the rest may be taken over many turns. See snapshotIndex. */
  snapshot(): Generator<string>;
  /** Whether what was removed takes more room than what lives: time to rebuild. */
  isWasteful(): boolean;
  /** Names of subjects, resources, roles, permissions and conditions that are kept, whether anything still speaks of them or not. */
  readonly nameCount: number;
}

/** An empty index. `builtIn` is the policy of tenant `sallyport`, which its log cannot change. */
export function createDecisionIndex(tenant: string, builtIn: Policy): ChangingDecisionIndex {
  const state = new IndexState(tenant, builtIn);
  const { grants, remembered } = state;
  let revision = 0;
  const read = (slots: Iterable<number>): readonly Grant[] =>
    [...slots].flatMap((slot) => grants.at(slot)?.grant ?? []);
  return {
    tenant,
    get revision() {
      return revision;
    },
    get grantCount() {
      return grants.count;
    },
    get policy() {
      return state.policy;
    },
    policyVersion: (version) => (version === state.policy.version ? state.policy : state.versions.find(version)),
    policyVersions: (before, limit) => state.versions.list(before, limit),
    parentOf: ({ type, id }) => {
      const parent = grants.nodes.parentOf(grants.nodes.find(type, id));
      return parent === 0 ? undefined : grants.nodes.nameOf(parent);
    },
    attributesOf: ({ type, id }) => grants.nodes.attributesOf(grants.nodes.find(type, id)),
    linksOfType: (type) => grants.nodes.linksOfType(type),
    decide: (question, now, work) => decide(state, question, now, work),
    decideUnder: (policy, questions, now) => {
      const work = new DecisionWork(MAX_CALL_WORK);
      return state.withPolicy(policy, () => questions.map((question) => decide(state, question, now, work)));
    },
    explain: (question, now) => explain(state, question, now),
    listPermissions: (asker, resource, page, now) => listPermissions(state, asker, resource, page, now),
    listResources: (asker, what, page, now) => listResources(state, asker, what, page, now),
    listSubjects: (what, type, page, now) => listSubjects(state, what, type, page, now),
    grant: (id) => grants.at(grants.slotOf(id))?.grant,
    grantsOn: (resource) => read(grants.slotsOn(resource)),
    grantsOf: (subject) => read(grants.slotsOf(subject)),
    list: (filter, from, limit, now) => listSlots(grants, filter, from, limit, now),
    selectsAny: (filter, now) => {
      for (const slot of selectedSlots(grants, filter)) {
        const expiry = grants.expiryOf(slot);
        if (expiry === 0 || expiry > now) return true;
      }
      return false;
    },
    deniesByRole: (role) => grants.whats.denies(grants.whats.find({ kind: 'role', role })) > 0,
    isDisabled: ({ type, id }) => grants.nodes.isDisabledNamed(grants.nodes.find(type, id), type, id),
    isGone: ({ type, id }) => grants.nodes.gone.has(type, id),
    childrenOf: ({ type, id }, limit) => {
      const parent = grants.nodes.find(type, id);
      return parent === 0 ? [] : grants.nodes.childrenOf(parent, limit).map((node) => grants.nodes.nameOf(node));
    },
    remembered: (id) => remembered.get(id),
    apply: (entry) => {
      state.apply(decodePolicyEntry(entry.body), entry.revision, entry.at);
      revision = entry.revision;
    },
    restore: (chunk) => {
      for (const row of readSnapshot(chunk)) state.restore(row);
    },
    restored: (at) => {
      revision = at;
    },
    snapshot: () => snapshotIndex(() => state.head(), grants),
    isWasteful: () => {
      const used = NAMES_PER_GRANT * grants.count + NAMES_PER_FACT * grants.nodes.facts;
      return grants.removed > grants.count + WASTE_ALLOWED || grants.nameCount > 2 * used + WASTE_ALLOWED;
    },
    get nameCount() {
      return grants.nameCount;
    },
  };
}
