import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CreateProviderRequestSchema } from '../../../gen/sallyport/v1/provider_pb.ts';
import { CommandError } from './command-io.ts';
import { durationOf } from './values.ts';

export interface KindOptions {
  readonly issuer?: string;
  readonly directory?: string;
  readonly maxAge?: string;
  readonly acr?: readonly string[];
}

type Kind = NonNullable<MessageInitShape<typeof CreateProviderRequestSchema>['kind']>;

/** CreateProviderRequest.kind of what was typed. Throws CommandError for another kind, or without what the kind needs. */
export function kindOf(kind: string, options: KindOptions): Kind {
  const { issuer, directory, maxAge, acr } = options;
  if (issuer !== undefined && kind !== 'oidc')
    throw new CommandError('--issuer is for oidc: the others have their own');
  if ((maxAge ?? acr) !== undefined && kind !== 'oidc') throw new CommandError('--max-age and --acr are for oidc');
  if (directory !== undefined && kind !== 'microsoft') throw new CommandError('--directory is for microsoft');
  switch (kind) {
    case 'oidc':
      if (issuer === undefined) throw new CommandError('an oidc provider needs its --issuer');
      return { case: kind, value: { issuer, ...demandsOf(options) } };
    case 'microsoft':
      if (directory === undefined) throw new CommandError('microsoft needs the --directory, a UUID');
      return { case: kind, value: { tenantId: directory } };
    case 'google':
    case 'github':
      return { case: kind, value: {} };
    default:
      throw new CommandError(`${JSON.stringify(kind)} is no kind of provider: write oidc, google, microsoft or github`);
  }
}

function demandsOf({ maxAge, acr = [] }: KindOptions) {
  const maxAuthenticationAge = maxAge === undefined ? {} : { maxAuthenticationAge: durationOf(maxAge, '--max-age') };
  return { acrValues: [...acr], ...maxAuthenticationAge };
}
