import type { Command } from 'commander';
import { AuthenticationService } from '../../../gen/sallyport/v1/authentication_pb.ts';
import {
  RequestPasswordResetResponseSchema,
  RequestVerificationResponseSchema,
} from '../../../gen/sallyport/v1/password_pb.ts';
import { RejectionReasonSchema } from '../../../gen/sallyport/v1/session_pb.ts';
import { UserService } from '../../../gen/sallyport/v1/user_pb.ts';
import { askSecret } from './ask.ts';
import { CommandError } from './command-io.ts';
import { findUser } from './find-user.ts';
import { type Kit, online } from './kit.ts';
import { enumText, timeText } from './values.ts';

/** `sallyport user set-password|reset-token|reset-password|verification-token|verify`: passwords and tokens come from the keyboard or standard input. */
export function addUserPasswordCommands(kit: Kit, user: Command): void {
  online<{ mustChangePassword?: boolean }>(
    kit,
    user,
    'set-password <user>',
    'gives an account a new password and ends its sessions',
    async (service, [name = ''], { mustChangePassword }) => {
      const { id } = await findUser(service, name);
      const password = await askSecret(service.io, 'new password', true);
      await service
        .client(UserService)
        .setPassword({ tenant: service.tenant, userId: id, password, mustChange: mustChangePassword === true });
      service.output.plain({ passwordSet: id }, [`set the password of ${id}`]);
    },
  ).option('--must-change-password', 'the next login has to change it');
  online(
    kit,
    user,
    'reset-token <identifier>',
    'makes a token that sets a new password, for the mail to its owner',
    async ({ client, tenant, output }, [identifier = '']) => {
      const answer = await client(AuthenticationService).requestPasswordReset({ tenant, identifier });
      if (answer.emailAddress === '') {
        throw new CommandError('there is no account with this identifier and a verified email address', 1);
      }
      output.one(RequestPasswordResetResponseSchema, answer, [
        ['send to', answer.emailAddress],
        ['reset token', answer.resetToken],
        ['expires', timeText(answer.expireTime)],
      ]);
    },
  );
  online(
    kit,
    user,
    'reset-password',
    'sets a new password by a reset token (asked for, or two lines of standard input)',
    async ({ client, tenant, output, io }) => {
      const resetToken = await askSecret(io, 'reset token');
      const newPassword = await askSecret(io, 'new password', true);
      const { outcome } = await client(AuthenticationService).resetPassword({ tenant, resetToken, newPassword });
      if (outcome.case === 'rejection') {
        throw refusal(outcome.value.reason);
      }
      output.plain({ passwordSet: outcome.value ?? '' }, [`set the password of ${outcome.value ?? ''}`]);
    },
  );
  addVerification(kit, user);
}

function addVerification(kit: Kit, user: Command): void {
  online(
    kit,
    user,
    'verification-token <user> <address>',
    'makes a token that confirms an email address of an account, for the mail to that address',
    async (service, [name = '', emailAddress = '']) => {
      const { client, tenant, output } = service;
      const { id: userId } = await findUser(service, name);
      const answer = await client(AuthenticationService).requestVerification({ tenant, userId, emailAddress });
      output.one(RequestVerificationResponseSchema, answer, [
        ['send to', answer.emailAddress],
        ['verification token', answer.verificationToken],
        ['expires', timeText(answer.expireTime)],
      ]);
    },
  );
  online(
    kit,
    user,
    'verify',
    'confirms an email address by a verification token (asked for, or from standard input)',
    async ({ client, tenant, output, io }) => {
      const verificationToken = await askSecret(io, 'verification token');
      const { outcome } = await client(AuthenticationService).confirmVerification({ tenant, verificationToken });
      if (outcome.case !== 'user') throw refusal(outcome.case === 'rejection' ? outcome.value.reason : 0);
      output.plain({ verified: outcome.value.id }, [`confirmed an address of ${outcome.value.id}`]);
    },
  );
}

const refusal = (reason: number): CommandError =>
  new CommandError(`refused: ${enumText(RejectionReasonSchema, reason)}`, 1);
