import type { Command } from 'commander';
import {
  RevokeSessionsResponseSchema,
  type Session,
  SessionKindSchema,
  SessionSchema,
  SessionService,
} from '../../../gen/sallyport/v1/session_pb.ts';
import { consent } from './ask.ts';
import { CommandError } from './command-io.ts';
import { findUser } from './find-user.ts';
import { type Kit, online } from './kit.ts';
import type { Column } from './output.ts';
import { pages } from './pages.ts';
import { enumText, limitOf, subjectOf, timeText } from './values.ts';

/** `sallyport session ...` */
export function addSessionCommands(kit: Kit, program: Command): void {
  const session = program.command('session').description('who is logged in');
  online<{ limit?: string }>(
    kit,
    session,
    'list <subject>',
    'living sessions of user:id or service:id, or of a user by an identifier',
    async (service, [text = ''], { limit }) => {
      const { client, tenant, output } = service;
      const subject = /^(user|service):/.test(text)
        ? subjectOf(text)
        : { type: 'user', id: (await findUser(service, text)).id };
      const sessions = pages(limitOf(limit), async (page) => {
        const answer = await client(SessionService).listSessions({ tenant, subject, ...page });
        return { items: answer.sessions, nextPageToken: answer.nextPageToken };
      });
      await output.list(SessionSchema, sessions, COLUMNS);
    },
  ).option('--limit <n>', 'stop after this many');
  online<{ user?: string; yes?: boolean }>(
    kit,
    session,
    'revoke [session-id]',
    'ends a session, or with --user all of a user',
    async (service, [sessionId], { user, yes }) => {
      if ((sessionId === undefined) === (user === undefined)) {
        throw new CommandError('name one session by its id, or a user with --user');
      }
      const userId = user === undefined ? undefined : (await findUser(service, user)).id;
      const what = userId === undefined ? `session ${sessionId}` : `every session of user ${userId}`;
      await consent(service.io, `End ${what}?`, yes);
      const answer = await service.client(SessionService).revokeSessions({
        tenant: service.tenant,
        selector:
          userId === undefined ? { case: 'sessionId', value: sessionId ?? '' } : { case: 'userId', value: userId },
      });
      service.output.one(RevokeSessionsResponseSchema, answer, [['revoked', String(answer.revokedCount)]]);
    },
  )
    .option('--user <user>', 'all sessions of this user, by id or identifier')
    .option('--yes', 'do not ask');
}

const COLUMNS: readonly Column<Session>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'KIND', value: ({ kind }) => enumText(SessionKindSchema, kind) },
  { title: 'BEGUN BY', value: ({ clientId }) => clientId },
  { title: 'ADDRESS', value: ({ client }) => client?.ip ?? '' },
  { title: 'METHODS', value: ({ amr }) => amr.join(' ') },
  { title: 'CREATED', value: ({ createTime }) => timeText(createTime) },
  { title: 'LAST SEEN', value: ({ lastSeenTime }) => timeText(lastSeenTime) },
  { title: 'EXPIRES', value: ({ expireTime }) => timeText(expireTime) },
  { title: 'BROWSER', value: ({ client }) => client?.userAgent ?? '' },
];
