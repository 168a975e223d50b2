import { createClient, type Transport } from '@connectrpc/connect';
import { RejectionReasonSchema, type TokenPair } from '../../gen/sallyport/v1/session_pb.ts';
import { type RotateRefreshResponse, TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { nameOf, type Printer } from './printer.ts';

/** Tokens from a finished login, their rotation, and what happens when one is used twice. */
export async function tokens(transport: Transport, print: Printer, authenticationToken: string): Promise<void> {
  const service = createClient(TokenService, transport);

  const issued = (
    await service.issueTokens({
      proof: { case: 'authenticationToken', value: authenticationToken },
      options: { audience: ['tour'] },
    })
  ).outcome;
  if (issued.case !== 'tokens') throw new Error('the login gave no tokens');
  print.step('IssueTokens: the proof of the login becomes a session.', pair(issued.value));

  const { active, claims } = await service.verifyToken({ accessToken: issued.value.accessToken, audience: 'tour' });
  print.step('VerifyToken: what the access token says.', {
    active,
    subject: `${claims?.subject?.type}:${claims?.subject?.id}`,
    amr: claims?.amr ?? [],
    audience: claims?.audience ?? [],
  });

  const rotate = (refreshToken: string) => service.rotateRefresh({ refreshToken });
  const second = await rotate(issued.value.refreshToken);
  print.step('RotateRefresh: the next pair; the old refresh token is spent.', outcome(second));
  const third = await rotate(refreshTokenOf(second));
  print.step('RotateRefresh again, with the new one.', outcome(third));
  print.step(
    'RotateRefresh with the very first one: somebody has a copy.',
    outcome(await rotate(issued.value.refreshToken)),
  );
  print.step(
    'So the whole session is over, for the thief and for the owner.',
    outcome(await rotate(refreshTokenOf(third))),
  );
}

const refreshTokenOf = (response: RotateRefreshResponse): string =>
  response.outcome.case === 'tokens' ? response.outcome.value.refreshToken : '';

const pair = (tokens: TokenPair): Record<string, unknown> => ({
  access_token: tokens.accessToken,
  refresh_token: tokens.refreshToken,
  session_id: tokens.sessionId,
});

function outcome(response: RotateRefreshResponse): Record<string, unknown> {
  const { outcome: result } = response;
  if (result.case === 'tokens') return pair(result.value);
  return {
    outcome: result.case,
    reason: result.value === undefined ? '' : nameOf(RejectionReasonSchema, result.value.reason),
  };
}
