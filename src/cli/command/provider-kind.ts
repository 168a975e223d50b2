import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CreateProviderRequestSchema } from '../../../gen/sallyport/v1/provider_pb.ts';
import { CommandError } from './command-io.ts';

export interface KindOptions {
  readonly issuer?: string;
  readonly directory?: string;
}

type Kind = NonNullable<MessageInitShape<typeof CreateProviderRequestSchema>['kind']>;

/** CreateProviderRequest.kind of what was typed. Throws CommandError for another kind, or without what the kind needs. */
export function kindOf(kind: string, { issuer, directory }: KindOptions): Kind {
  if (issuer !== undefined && kind !== 'oidc')
    throw new CommandError('--issuer is for oidc: the others have their own');
  if (directory !== undefined && kind !== 'microsoft') throw new CommandError('--directory is for microsoft');
  switch (kind) {
    case 'oidc':
      if (issuer === undefined) throw new CommandError('an oidc provider needs its --issuer');
      return { case: kind, value: { issuer } };
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
