import { createClient, type Transport } from '@connectrpc/connect';
import { ApiKeyService } from '../../gen/sallyport/v1/api_key_pb.ts';
import { AuthorizationService, type AuthorizeResponse } from '../../gen/sallyport/v1/authorization_pb.ts';
import { type Decision, DecisionReasonSchema, Effect, EffectSchema } from '../../gen/sallyport/v1/decision_pb.ts';
import { PolicyService } from '../../gen/sallyport/v1/policy_pb.ts';
import { nameOf, type Printer } from './printer.ts';

/** An API key, roles, and decisions with their reasons. */
export async function decisions(transport: Transport, print: Printer, userId: string): Promise<void> {
  const keys = createClient(ApiKeyService, transport);
  const policies = createClient(PolicyService, transport);
  const authorization = createClient(AuthorizationService, transport);
  const user = { type: 'user', id: userId };
  const reports = { type: 'service', id: 'reports' };
  const document = (id: string) => ({ type: 'document', id });

  const current = (await policies.getPolicy({})).policy;
  const roles = [
    ...(current?.roles ?? []).filter((role) => !role.name.startsWith('tour-')),
    { name: 'tour-viewer', permissions: ['documents:read'] },
    { name: 'tour-editor', permissions: ['documents:write'], parents: ['tour-viewer'] },
  ];
  const applied = await policies.applyPolicy({
    // ApplyPolicy replaces the whole policy: what else is in it goes back as it was.
    policy: { roles, resourceTypes: current?.resourceTypes ?? [], rules: current?.rules ?? [] },
    etag: current?.etag ?? '',
  });
  print.step('ApplyPolicy: a viewer reads documents; an editor also writes them.', {
    version: applied.policy?.version,
    roles: applied.policy?.roles.map((role) => role.name) ?? [],
  });

  const role = (subject: { type: string; id: string }, name: string, id: string) => ({
    change: {
      case: 'putGrant' as const,
      value: { subject, what: { case: 'role' as const, value: name }, resource: document(id), effect: Effect.ALLOW },
    },
  });
  const written = await policies.writeGrants({
    changes: [role(user, 'tour-editor', '42'), role(reports, 'tour-viewer', '42')],
  });
  print.step('WriteGrants: our user edits document 42, the service `reports` reads it.', {
    grant_ids: written.grantIds,
    revision: written.revision,
  });

  const ask = (permission: string, id: string) =>
    authorization.authorize({
      principal: { identity: { case: 'subject', value: user } },
      permission,
      resource: document(id),
      atLeastRevision: written.revision,
      explain: true,
    });
  print.step('Authorize: may our user read document 42?', explained(await ask('documents:read', '42')));
  print.step('Authorize: and delete it?', explained(await ask('documents:delete', '42')));
  print.step('Authorize: and read document 43?', explained(await ask('documents:read', '43')));

  const created = await keys.createApiKey({ owner: reports, displayName: 'nightly job', scopes: ['documents:read'] });
  print.step('CreateApiKey: the secret is shown this once.', { api_key: created.apiKey, prefix: created.key?.prefix });
  const verify = () =>
    keys.verifyApiKey({ apiKey: created.apiKey, permission: 'documents:read', resource: document('42') });
  print.step('VerifyApiKey: whose it is, and whether it may read document 42.', shown((await verify()).decision));
  await keys.revokeApiKey({ keyId: created.key?.id ?? '' });
  print.step('RevokeApiKey, then VerifyApiKey again.', shown((await verify()).decision));
}

const shown = (decision: Decision | undefined): Record<string, unknown> => ({
  effect: nameOf(EffectSchema, decision?.effect),
  reason: nameOf(DecisionReasonSchema, decision?.reason),
});

const explained = (response: AuthorizeResponse): Record<string, unknown> => ({
  ...shown(response.decision),
  because: response.explanation?.steps ?? [],
});
