import { createClient, type Transport } from '@connectrpc/connect';
import { TOTP } from 'otpauth';
import { AuthenticationService, ChallengeStepSchema } from '../../gen/sallyport/v1/authentication_pb.ts';
import { RejectionReasonSchema } from '../../gen/sallyport/v1/session_pb.ts';
import { IdentifierKind, UserService } from '../../gen/sallyport/v1/user_pb.ts';
import { nameOf, type Printer } from './printer.ts';

export interface FinishedLogin {
  readonly userId: string;
  readonly identifier: string;
  readonly authenticationToken: string;
}

const PASSWORD = 'Correct-Horse-42-Battery';
const STEP_MS = 30_000;

/** A user, a password login, a second factor. */
export async function logins(transport: Transport, print: Printer): Promise<FinishedLogin> {
  const users = createClient(UserService, transport);
  const authentication = createClient(AuthenticationService, transport);
  const identifier = `tour-${Date.now()}@example.com`;

  const { user } = await users.createUser({
    identifiers: [{ kind: IdentifierKind.EMAIL, value: identifier }],
    password: PASSWORD,
  });
  const userId = user?.id ?? '';
  print.step('CreateUser: somebody signs up.', { user_id: userId, identifier });

  const login = (password: string) =>
    authentication.authenticate({ credential: { case: 'password', value: { identifier, password } } });
  const wrong = (await login('not the password')).outcome;
  print.step('Authenticate with a wrong password: turned away, and told no more than that.', {
    outcome: wrong.case,
    reason: wrong.case === 'rejection' ? nameOf(RejectionReasonSchema, wrong.value.reason) : '',
  });
  const right = (await login(PASSWORD)).outcome;
  print.step('Authenticate with the right one.', {
    outcome: right.case,
    authentication_token: right.case === 'authenticated' ? right.value.authenticationToken : '',
  });

  const enrolled = (await authentication.enrollTotp({ target: { case: 'userId', value: userId } })).outcome;
  const secret = enrolled.case === 'enrollment' ? enrolled.value.secret : '';
  print.step('EnrollTotp: a secret for the authenticator app.', { secret, outcome: enrolled.case });
  // The app's side of it: RFC 6238. Each step's code works once, so the second login takes the next step's, which is accepted early.
  const code = (step: number) => new TOTP({ secret }).generate({ timestamp: Date.now() + step * STEP_MS });
  const first = code(0);
  const confirmed = (await authentication.confirmTotp({ target: { case: 'userId', value: userId }, totpCode: first }))
    .outcome;
  print.step('ConfirmTotp: the first code proves that the app has it.', {
    outcome: confirmed.case,
    recovery_codes: confirmed.case === 'confirmation' ? confirmed.value.recoveryCodes.length : 0,
  });

  const challenged = (await login(PASSWORD)).outcome;
  const challengeToken = challenged.case === 'challenge' ? challenged.value.challengeToken : '';
  print.step('Authenticate again: the password alone is not enough any more.', {
    outcome: challenged.case,
    steps:
      challenged.case === 'challenge' ? challenged.value.steps.map((step) => nameOf(ChallengeStepSchema, step)) : '',
  });
  const verify = (totpCode: string) =>
    authentication.verifyTotp({
      target: { case: 'challengeToken', value: challengeToken },
      code: { case: 'totpCode', value: totpCode },
    });
  const repeated = (await verify(first)).outcome;
  print.step('VerifyTotp with a code that was used before.', {
    outcome: repeated.case,
    reason: repeated.case === 'rejection' ? nameOf(RejectionReasonSchema, repeated.value.reason) : '',
  });
  const verified = (await verify(code(1))).outcome;
  const authenticationToken = verified.case === 'authenticated' ? verified.value.authenticationToken : '';
  print.step('VerifyTotp with the next one: logged in with two factors.', {
    outcome: verified.case,
    authentication_token: authenticationToken,
  });
  return { userId, identifier, authenticationToken };
}
