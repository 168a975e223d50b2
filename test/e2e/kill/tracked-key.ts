import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { DecisionReason, Effect } from '../../../gen/sallyport/v1/decision_pb.ts';
import type { Calls } from '../calls.ts';
import { type Tracked, Unanswered } from './tracked.ts';

/** An API key that is made, then revoked. */
export class TrackedKey implements Tracked {
  readonly #requestId = randomUUID();
  readonly #owner = { type: 'service', id: randomUUID() };
  readonly #unanswered = new Unanswered();
  #id = '';
  /** Empty when the answer that held it was lost. */
  #text = '';
  #revoked = false;

  get done(): boolean {
    return this.#revoked;
  }

  write(calls: Calls): Promise<void> {
    return this.#unanswered.run(calls, this.#id === '' ? this.#create : this.#revoke);
  }

  settle(calls: Calls): Promise<void> {
    return this.#unanswered.settle(calls);
  }

  async check(calls: Calls): Promise<void> {
    if (this.#id === '') return;
    const repeated = await calls.keys.createApiKey({ owner: this.#owner, requestId: this.#requestId });
    assert.ok(repeated.alreadyCreated, 'the key was lost');
    assert.equal(repeated.key?.id, this.#id);
    assert.equal(repeated.key.revokeTime !== undefined, this.#revoked);
    if (this.#text === '') return;
    const { decision } = await calls.keys.verifyApiKey({ apiKey: this.#text });
    assert.equal(decision?.effect, this.#revoked ? Effect.DENY : Effect.ALLOW);
    if (this.#revoked) assert.equal(decision.reason, DecisionReason.CREDENTIAL_REVOKED);
  }

  readonly #create = async (calls: Calls): Promise<void> => {
    const created = await calls.keys.createApiKey({ owner: this.#owner, requestId: this.#requestId });
    this.#id = created.key?.id ?? assert.fail('no key');
    this.#text = created.apiKey;
    assert.equal(created.apiKey === '', created.alreadyCreated);
  };

  readonly #revoke = async (calls: Calls): Promise<void> => {
    await calls.keys.revokeApiKey({ keyId: this.#id });
    this.#revoked = true;
  };
}
