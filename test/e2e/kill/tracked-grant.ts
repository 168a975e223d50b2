import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Effect } from '../../../gen/sallyport/v1/decision_pb.ts';
import type { Calls } from '../calls.ts';
import { type Tracked, Unanswered } from './tracked.ts';

const PERMISSION = 'documents:read';

/** A grant that is put, then deleted. */
export class TrackedGrant implements Tracked {
  readonly #subject = { type: 'service', id: randomUUID() };
  readonly #requestIds = { put: randomUUID(), delete: randomUUID() };
  readonly #unanswered = new Unanswered();
  #id = '';
  #deleted = false;

  get done(): boolean {
    return this.#deleted;
  }

  write(calls: Calls): Promise<void> {
    return this.#unanswered.run(calls, this.#id === '' ? this.#put : this.#delete);
  }

  settle(calls: Calls): Promise<void> {
    return this.#unanswered.settle(calls);
  }

  async check(calls: Calls): Promise<void> {
    if (this.#id === '') return;
    const principal = { identity: { case: 'subject' as const, value: this.#subject } };
    const { decision } = await calls.authorization.authorize({ principal, permission: PERMISSION });
    assert.equal(decision?.effect, this.#deleted ? Effect.DENY : Effect.ALLOW);
    assert.deepEqual(decision.grantIds, this.#deleted ? [] : [this.#id]);
  }

  readonly #put = async (calls: Calls): Promise<void> => {
    const value = {
      subject: this.#subject,
      what: { case: 'permission' as const, value: PERMISSION },
      effect: Effect.ALLOW,
    };
    const changes = [{ change: { case: 'putGrant' as const, value } }];
    const { grantIds } = await calls.policies.writeGrants({ changes, requestId: this.#requestIds.put });
    this.#id = grantIds[0] ?? assert.fail('no grant id');
  };

  readonly #delete = async (calls: Calls): Promise<void> => {
    const changes = [{ change: { case: 'deleteGrantId' as const, value: this.#id } }];
    await calls.policies.writeGrants({ changes, requestId: this.#requestIds.delete });
    this.#deleted = true;
  };
}
