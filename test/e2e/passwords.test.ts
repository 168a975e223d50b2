import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { AuthenticationService, ChallengeStep } from '../../gen/sallyport/v1/authentication_pb.ts';
import { PasswordRule } from '../../gen/sallyport/v1/password_pb.ts';
import { RejectionReason } from '../../gen/sallyport/v1/session_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { IdentifierKind, UserService } from '../../gen/sallyport/v1/user_pb.ts';
import { onEachStore, type StoreSubject } from '../support/both-stores.ts';
import { grpcClient } from '../support/grpc-client.ts';

const [FIRST, SECOND, THIRD] = ['Correct-Horse-42-Battery', 'Paper-Umbrella-93-Lagoon', 'Velvet-Cactus-61-Harbour'];
const EMAIL = 'ada@example.com';

function clientsOf({ services, adminKey: key }: StoreSubject) {
  const [first] = services;
  const last = services.at(-1) ?? first;
  return {
    users: grpcClient(UserService, first.grpc, { key }),
    tokens: grpcClient(TokenService, first.grpc, { key }),
    here: grpcClient(AuthenticationService, first.grpc, { key }),
    there: grpcClient(AuthenticationService, last.grpc, { key }),
  };
}

type Clients = ReturnType<typeof clientsOf>;

async function logIn({ there }: Clients, password: string) {
  const { outcome } = await there.authenticate({
    credential: { case: 'password', value: { identifier: EMAIL, password } },
    issue: { kind: { case: 'tokens', value: { audience: ['app'] } } },
  });
  return outcome;
}

async function makeAda({ users }: Clients, mustChangePassword = false): Promise<string> {
  const { user } = await users.createUser({
    identifiers: [{ kind: IdentifierKind.EMAIL, value: EMAIL }],
    password: FIRST,
    mustChangePassword,
  });
  return user?.id ?? '';
}

await onEachStore({
  'a password is checked, must be changed, and is changed, over two replicas': async (subject) => {
    const clients = clientsOf(subject);
    const { here, tokens } = clients;
    const checked = await here.checkPassword({ password: 'Password1234!' });
    assert.equal(checked.acceptable, false);
    assert.deepEqual(
      checked.brokenRules.map(({ rule }) => rule),
      [PasswordRule.COMMON, PasswordRule.GUESSABLE],
    );
    assert.equal((await here.checkPassword({ password: FIRST })).acceptable, true);

    const userId = await makeAda(clients, true);
    const login = await logIn(clients, FIRST);
    assert.ok(login.case === 'challenge');
    assert.deepEqual(login.value.steps, [ChallengeStep.CHANGE_PASSWORD]);
    const carriedOn = await here.changePassword({
      target: { case: 'challengeToken', value: login.value.challengeToken },
      newPassword: SECOND,
      issue: { kind: { case: 'tokens', value: { audience: ['app'] } } },
    });
    assert.equal(carriedOn.outcome.case, 'authenticated');

    const session = await logIn(clients, SECOND);
    const issued = session.case === 'authenticated' ? session.value.issued : undefined;
    assert.ok(issued?.case === 'tokens');
    const changed = await here.changePassword({
      target: { case: 'userId', value: userId },
      currentPassword: SECOND,
      newPassword: THIRD,
      endOtherSessions: true,
      keepSessionId: issued.value.sessionId,
    });
    assert.equal(changed.outcome.case, 'change');
    const kept = await tokens.rotateRefresh({ refreshToken: issued.value.refreshToken });
    assert.equal(kept.outcome.case, 'tokens');
    const other = carriedOn.outcome.case === 'authenticated' ? carriedOn.outcome.value.issued : undefined;
    const ended = await tokens.rotateRefresh({
      refreshToken: other?.case === 'tokens' ? other.value.refreshToken : '',
    });
    assert.equal(ended.outcome.case, 'rejection');
    for (const client of Object.values(clients)) client.close();
  },
  'an address is verified and a password reset once of 64 at once, over two replicas': async (subject) => {
    const clients = clientsOf(subject);
    const { here, there, tokens } = clients;
    const userId = await makeAda(clients);
    const session = await logIn(clients, FIRST);
    const before = session.case === 'authenticated' ? session.value.issued : undefined;
    assert.ok(before?.case === 'tokens');
    const { emailAddress, verificationToken } = await here.requestVerification({ userId, emailAddress: EMAIL });
    assert.equal(emailAddress, EMAIL);
    const verified = await there.confirmVerification({ verificationToken });
    assert.equal(verified.outcome.case === 'user' && verified.outcome.value.identifiers[0]?.verified, true);
    const unknown = await here.requestPasswordReset({ identifier: 'nobody@example.com' });
    assert.equal(unknown.emailAddress, '');
    const { emailAddress: to, resetToken } = await here.requestPasswordReset({ identifier: EMAIL });
    assert.equal(to, EMAIL);
    assert.equal(unknown.resetToken.length, resetToken.length);
    await assert.rejects(there.resetPassword({ resetToken, newPassword: 'Summer2026!!' }), {
      code: status.FAILED_PRECONDITION,
    });
    const resets = await Promise.all(
      Array.from({ length: 64 }, (_, at) =>
        (at % 2 === 0 ? here : there).resetPassword({ resetToken, newPassword: SECOND }),
      ),
    );
    assert.equal(resets.filter(({ outcome }) => outcome.case === 'userId').length, 1);
    for (const { outcome } of resets) {
      if (outcome.case === 'rejection') assert.equal(outcome.value.reason, RejectionReason.PROOF_INVALID);
    }
    const { refreshToken } = before.value;
    assert.equal((await tokens.rotateRefresh({ refreshToken })).outcome.case, 'rejection');
    assert.equal((await logIn(clients, FIRST)).case, 'rejection');
    assert.equal((await logIn(clients, SECOND)).case, 'authenticated');
    for (const client of Object.values(clients)) client.close();
  },
});
