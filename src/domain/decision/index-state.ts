import type { ResourceRef } from '../subject.ts';
import { SYSTEM_TENANT } from '../tenant/tenant.ts';
import type { PolicyState, RememberedWrite } from './decision-index.ts';
import { goneDigest } from './gone-subjects.ts';
import { GrantTable } from './grant-table.ts';
import type { IndexHead, SnapshotRow } from './index-snapshot.ts';
import { selectedSlots } from './list-slots.ts';
import { emptyPolicy, policyEtag } from './policy.ts';
import { type PolicyEntry, REMEMBERED_MS } from './policy-log.ts';
import { keptVersion, PolicyVersions } from './policy-versions.ts';
import type { NodeChange, Policy } from './use-cases.ts';

/** Remembered writes beyond this are forgotten early, oldest first. */
const MAX_REMEMBERED = 100_000;

/** Changes of one entry are fewer than this, so (revision, index) is one number. */
const POSITIONS_PER_REVISION = 1024;

/** Everything that entries change, and how each kind of entry changes it. Nothing here can fail half-way. */
export class IndexState {
  readonly grants = new GrantTable();
  /** The one resource that allows on the whole tenant do not reach; denies do. */
  readonly guarded: ResourceRef | undefined;
  readonly versions = new PolicyVersions();
  readonly remembered = new Map<string, RememberedWrite>();
  /** By the digest that is left of a name when it is forgotten. */
  readonly #disabled = new Map<string, number>();
  readonly #fixed: boolean;
  #policy: PolicyState;

  /** `builtIn` is the policy of tenant `sallyport`, which its log cannot change. */
  constructor(tenant: string, builtIn: Policy) {
    this.#fixed = tenant === SYSTEM_TENANT;
    this.guarded = this.#fixed ? { type: 'tenant', id: SYSTEM_TENANT } : undefined;
    const policy = this.#fixed ? builtIn : emptyPolicy;
    const etag = policyEtag(policy, 0);
    this.#policy = { policy, version: 0, revision: 0, appliedAt: 0, author: '', comment: '', etag };
    this.grants.setPolicy(this.#policy.policy);
  }

  get policy(): PolicyState {
    return this.#policy;
  }

  /** `at` is the entry's time, epoch ms. */
  apply(entry: PolicyEntry, revision: number, at: number): void {
    switch (entry.kind) {
      case 'policy':
        this.#setPolicy({
          policy: entry.policy,
          version: entry.version,
          revision,
          appliedAt: at,
          author: entry.author,
          comment: entry.comment ?? '',
          etag: policyEtag(entry.policy, entry.version),
        });
        return;
      case 'subject':
        this.#setDisabled(entry.subject, entry.disabled);
        return;
      case 'restored':
      case 'ended':
        return;
      case 'gone':
        this.#forget(entry.type, entry.digest);
        return;
      case 'grants':
        for (const [index, change] of entry.changes.entries()) {
          if (change.kind === 'put') this.grants.put(change.grant, revision * POSITIONS_PER_REVISION + index);
          else if (change.kind === 'delete') this.grants.remove(change.grantId);
          else if (change.kind !== 'delete_matching') this.#changeNode(change);
          else for (const slot of selectedSlots(this.grants, change.filter)) this.grants.remove(this.grants.idOf(slot));
        }
        if (entry.request !== undefined)
          this.#remember(entry.request.id, { digest: entry.request.digest, revision, at });
    }
  }

  restore(row: SnapshotRow): void {
    switch (row.kind) {
      case 'grant':
        this.grants.put(row.placed.grant, row.placed.position);
        return;
      case 'policy':
        this.#setPolicy({ ...row.state, etag: policyEtag(row.state.policy, row.state.version) });
        return;
      case 'version':
        this.versions.add(row.version);
        return;
      case 'disabled':
        this.#setDisabled(row.subject, true);
        return;
      case 'gone':
        // Nobody among the disabled of a snapshot: it is not looked for.
        this.grants.nodes.gone.add(row.type, row.digest);
        return;
      case 'node':
        this.#changeNode(row.change);
        return;
      case 'remembered':
        this.remembered.set(row.id, row.write);
    }
  }

  head(): IndexHead {
    const disabled = [...this.#disabled.values()].map((node) => this.grants.nodes.nameOf(node));
    const gone = [...this.grants.nodes.gone];
    return { policy: this.#policy, versions: this.versions.all(), disabled, gone, remembered: [...this.remembered] };
  }

  /** Tries another policy until `ask` returns. */
  withPolicy<T>(policy: Policy, ask: () => T): T {
    return this.grants.withPolicy(policy, this.#policy.policy, ask);
  }

  #setPolicy(next: PolicyState): void {
    if (this.#fixed) return;
    this.#policy = next;
    this.versions.add(keptVersion(next));
    this.grants.setPolicy(next.policy);
  }

  #changeNode(change: NodeChange): void {
    const { nodes } = this.grants;
    switch (change.kind) {
      case 'put_parent':
        nodes.setParent(
          nodes.intern(change.child.type, change.child.id),
          nodes.intern(change.parent.type, change.parent.id),
        );
        return;
      case 'delete_parent': {
        const child = nodes.find(change.child.type, change.child.id);
        const parent = nodes.find(change.parent.type, change.parent.id);
        if (child !== 0 && parent !== 0 && nodes.parentOf(child) === parent) nodes.setParent(child, 0);
        return;
      }
      case 'put_attributes': {
        const { subject, attributes } = change;
        const isEmpty = Object.keys(attributes).length === 0;
        nodes.setAttributes(nodes.intern(subject.type, subject.id), isEmpty ? undefined : attributes);
      }
    }
  }

  #setDisabled(subject: ResourceRef, disabled: boolean): void {
    const node = this.grants.nodes.intern(subject.type, subject.id);
    this.grants.nodes.setDisabled(node, disabled);
    const digest = goneDigest(subject.type, subject.id);
    if (disabled) this.#disabled.set(digest, node);
    else this.#disabled.delete(digest);
  }

  /** The mark that came before named it: the node stays disabled, and its name goes with the next checkpoint. */
  #forget(type: string, digest: string): void {
    this.grants.nodes.gone.add(type, digest);
    this.#disabled.delete(digest);
  }

  #remember(id: string, write: RememberedWrite): void {
    this.remembered.set(id, write);
    for (const [oldest, { at }] of this.remembered) {
      if (this.remembered.size <= MAX_REMEMBERED && at >= write.at - REMEMBERED_MS) break;
      this.remembered.delete(oldest);
    }
  }
}
