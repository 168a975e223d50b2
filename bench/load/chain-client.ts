import { AuthenticationService } from '../../gen/sallyport/v1/authentication_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { grpcClient } from '../../test/support/grpc-client.ts';
import { type LanesResult, lanes } from './lanes.ts';

// A load process for calls that h2load cannot repeat: each rotation needs the token of the one before, each login its own user. It gets
// one job over IPC, answers with what it measured, and ends.

export interface ChainJob {
  readonly address: string;
  readonly key: string;
  readonly calls: number;
  readonly inFlight: number;
  readonly work: /** One refresh token per call in flight. */
    | { readonly kind: 'rotate'; readonly refreshTokens: readonly string[] }
    | { readonly kind: 'login'; readonly identifiers: readonly string[]; readonly password: string };
}

/** Sixteen logins at once queue up behind the cores: on a slow machine for longer than the default deadline. */
const LONGEST_MS = 60_000;

type Step = (lane: number) => Promise<void>;

function rotations(job: ChainJob, tokens: string[]): Step {
  const client = grpcClient(TokenService, job.address, { key: job.key });
  return async (lane) => {
    const answer = await client.rotateRefresh({ refreshToken: tokens[lane] ?? '' });
    if (answer.outcome.case !== 'tokens') throw new Error(`rejected: ${answer.outcome.value?.reason}`);
    tokens[lane] = answer.outcome.value.refreshToken;
  };
}

function logins(job: ChainJob, identifiers: readonly string[], password: string): Step {
  const client = grpcClient(AuthenticationService, job.address, { key: job.key });
  return async (lane) => {
    const identifier = identifiers[lane % identifiers.length] ?? '';
    const credential = { case: 'password', value: { identifier, password } } as const;
    const answer = await client.authenticate({ credential }, { deadlineMs: LONGEST_MS });
    if (answer.outcome.case !== 'authenticated') throw new Error(`not authenticated: ${answer.outcome.case}`);
  };
}

function run(job: ChainJob): Promise<LanesResult> {
  const { work } = job;
  const step =
    work.kind === 'rotate' ? rotations(job, [...work.refreshTokens]) : logins(job, work.identifiers, work.password);
  return lanes(job.calls, job.inFlight, step);
}

process.once('message', (job: ChainJob) => {
  run(job).then((result) => process.send?.(result, () => process.exit(0)));
});
