import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type Rejection, RejectionReasonSchema } from '../../../gen/sallyport/v1/session_pb.ts';
import type { RotateRefreshResponse } from '../../../gen/sallyport/v1/token_pb.ts';
import { IdentifierKind } from '../../../gen/sallyport/v1/user_pb.ts';
import type { Calls } from '../calls.ts';
import { type Tracked, Unanswered } from './tracked.ts';

interface Line {
  readonly sessionId: string;
  access: string;
  refresh: string;
  over: boolean;
}

type Write = 'password' | 'issue' | 'rotate' | 'revokeSession' | 'revokeUser';

const MAX_WRITES = 12;
const AUDIENCE = 'kill';
/** The previous refresh token may be repeated this long, ms, less some room: a machine that is slower than that sees a reuse. */
const GRACE_MS = 9000;

/** A user with a password and one session at a time. `pick` chooses among what can be written next. */
export class TrackedUser implements Tracked {
  readonly #pick: (writes: readonly Write[]) => Write;
  readonly #requestId = randomUUID();
  readonly #identifier = `${randomUUID()}@example.com`;
  readonly #firstPassword = newPassword();
  readonly #unanswered = new Unanswered();
  readonly #ended: Line[] = [];
  #id = '';
  #password = this.#firstPassword;
  #line: Line | undefined;
  #writes = 0;

  constructor(pick: (writes: readonly Write[]) => Write) {
    this.#pick = pick;
  }

  get done(): boolean {
    return this.#writes >= MAX_WRITES;
  }

  write(calls: Calls): Promise<void> {
    this.#writes += 1;
    if (this.#id === '') return this.#unanswered.run(calls, this.#create);
    const living: readonly Write[] = ['password', 'rotate', 'rotate', 'rotate', 'revokeSession', 'revokeUser'];
    switch (this.#pick(this.#line === undefined ? ['password', 'issue'] : living)) {
      case 'password':
        return this.#setPassword(calls);
      case 'issue':
        return this.#unanswered.run(calls, this.#issue(randomUUID()));
      case 'rotate':
        return this.#rotate(calls);
      case 'revokeSession':
        return this.#unanswered.run(calls, this.#revoke({ case: 'sessionId', value: this.#line?.sessionId ?? '' }));
      case 'revokeUser':
        return this.#unanswered.run(calls, this.#revoke({ case: 'userId', value: this.#id }));
    }
  }

  settle(calls: Calls): Promise<void> {
    return this.#unanswered.settle(calls);
  }

  async check(calls: Calls): Promise<void> {
    if (this.#id === '') return;
    const { user } = await calls.users.getUser({ selector: { case: 'identifier', value: this.#identifier } });
    assert.equal(user?.id, this.#id);
    assert.ok(await this.#accepts(calls, this.#password), 'the acknowledged password does not work');
    for (const line of this.#ended) await checkEnded(calls, line);
    if (this.#line === undefined) return;
    const { active } = await calls.tokens.verifyToken({ accessToken: this.#line.access, audience: AUDIENCE });
    assert.ok(active, 'an acknowledged access token is not active');
    await this.#rotateOnce(calls);
  }

  readonly #create = async (calls: Calls): Promise<void> => {
    const { user } = await calls.users.createUser({
      identifiers: [{ kind: IdentifierKind.EMAIL, value: this.#identifier }],
      password: this.#firstPassword,
      requestId: this.#requestId,
    });
    this.#id = user?.id ?? assert.fail('no user');
  };

  #setPassword(calls: Calls): Promise<void> {
    const password = newPassword();
    const written = (): void => {
      this.#password = password;
      this.#endLine();
    };
    return this.#unanswered.run(
      calls,
      async ({ users }) => {
        await users.setPassword({ userId: this.#id, password });
        written();
      },
      // Either the old one works, with its sessions, or the new one without them: `check` holds it to that.
      async (again) => {
        if (await this.#accepts(again, password)) written();
      },
    );
  }

  #issue(requestId: string): (calls: Calls) => Promise<void> {
    return async ({ tokens }) => {
      const { outcome } = await tokens.issueTokens({
        proof: { case: 'subject', value: { type: 'user', id: this.#id } },
        options: { audience: [AUDIENCE] },
        requestId,
      });
      assert.ok(outcome.case === 'tokens', `no tokens but ${outcome.case}`);
      const { sessionId, accessToken, refreshToken } = outcome.value;
      this.#line = { sessionId, access: accessToken, refresh: refreshToken, over: false };
    };
  }

  #rotate(calls: Calls): Promise<void> {
    const begun = performance.now();
    return this.#unanswered.run(calls, this.#rotateOnce, async (again) => {
      if (performance.now() - begun < GRACE_MS) return this.#rotateOnce(again);
      const { outcome } = await again.tokens.rotateRefresh({ refreshToken: this.#line?.refresh ?? '' });
      if (outcome.case === 'tokens') this.#take({ outcome });
      else this.#endLine();
    });
  }

  readonly #rotateOnce = async ({ tokens }: Calls): Promise<void> => {
    this.#take(await tokens.rotateRefresh({ refreshToken: this.#line?.refresh ?? '' }));
  };

  #take({ outcome }: Pick<RotateRefreshResponse, 'outcome'>): void {
    if (outcome.case !== 'tokens') assert.fail(`not rotated: ${nameOfRejection(outcome.value)}`);
    assert.ok(this.#line?.sessionId === outcome.value.sessionId);
    this.#line.access = outcome.value.accessToken;
    this.#line.refresh = outcome.value.refreshToken;
  }

  #revoke(selector: { case: 'sessionId' | 'userId'; value: string }): (calls: Calls) => Promise<void> {
    return async ({ sessions }) => {
      await sessions.revokeSessions({ selector });
      this.#endLine();
    };
  }

  #endLine(): void {
    if (this.#line !== undefined) this.#ended.push(this.#line);
    this.#line = undefined;
  }

  async #accepts({ authentication }: Calls, password: string): Promise<boolean> {
    const { outcome } = await authentication.authenticate({
      credential: { case: 'password', value: { identifier: this.#identifier, password } },
    });
    return outcome.case === 'authenticated';
  }
}

async function checkEnded({ tokens }: Calls, line: Line): Promise<void> {
  const { active } = await tokens.verifyToken({ accessToken: line.access, audience: AUDIENCE });
  assert.ok(!active, 'the access token of a revoked session is active');
  const { outcome } = await tokens.rotateRefresh({ refreshToken: line.refresh });
  assert.equal(outcome.case, 'rejection', 'a revoked session was rotated');
}

function nameOfRejection(rejection: Rejection | undefined): string {
  return RejectionReasonSchema.value[rejection?.reason ?? 0]?.name ?? 'no reason';
}

function newPassword(): string {
  return `Kill-${randomUUID()}`;
}
