import { toJson } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import {
  type AuditEvent,
  AuditEventSchema,
  type AuditOutcome,
  AuditOutcomeSchema,
  AuditService,
} from '../../../gen/sallyport/v1/audit_pb.ts';
import type { CommandIo } from './command-io.ts';
import { type Kit, online } from './kit.ts';
import type { Column } from './output.ts';
import { pages } from './pages.ts';
import { printable, printableJson } from './printable.ts';
import { enumOf, enumText, limitOf, timeOf, timeText } from './values.ts';

interface FilterOptions {
  readonly since?: string;
  readonly until?: string;
  readonly subject?: string;
  readonly type?: string;
  readonly outcome?: string;
  readonly limit?: string;
  readonly newestFirst?: boolean;
}

/** `sallyport audit ...` */
export function addAuditCommands(kit: Kit, program: Command): void {
  const audit = program.command('audit').description('what happened');
  const list = online<FilterOptions>(
    kit,
    audit,
    'list',
    'recorded events, oldest first unless told otherwise',
    async ({ client, tenant, output, io }, _, options) => {
      const filter = { tenant, ...filterOf(io, options), newestFirst: options.newestFirst === true };
      const events = pages(limitOf(options.limit), async (page) => {
        const answer = await client(AuditService).listEvents({ ...filter, ...page });
        return { items: answer.events, nextPageToken: answer.nextPageToken };
      });
      await output.list(AuditEventSchema, events, COLUMNS);
    },
  );
  withFilter(list)
    .option('--until <time>', 'before then')
    .option('--newest-first', 'the newest come first, with --limit the last ones')
    .option('--limit <n>', 'stop after this many');
  const watch = online<FilterOptions>(
    kit,
    audit,
    'watch',
    'tells events as they happen, until Ctrl-C',
    async ({ client, tenant, output, io, stream }, _, options) => {
      try {
        for await (const { event } of client(AuditService).watchEvents({ tenant, ...filterOf(io, options) }, stream)) {
          if (event === undefined) continue;
          if (output.isJson) io.out(`${printableJson(toJson(AuditEventSchema, event))}\n`);
          else io.out(`${COLUMNS.map(({ value }) => printable(value(event))).join('  ')}\n`);
        }
      } catch (error) {
        if (!io.signal.aborted) throw error;
      }
    },
  );
  withFilter(watch);
}

function withFilter(command: Command): Command {
  return command
    .option('--since <time>', 'from then on: a date, or such as 2h')
    .option('--subject <subject>', 'about this subject, for example user:7')
    .option('--type <type>', 'of this type, for example login.failed')
    .option('--outcome <outcome>', 'success, failure or denied');
}

function filterOf(io: CommandIo, { since, until, subject = '', type = '', outcome }: FilterOptions) {
  return {
    subject,
    type,
    ...(since === undefined ? {} : { startTime: timeOf(since, '--since', io.now(), -1) }),
    ...(until === undefined ? {} : { endTime: timeOf(until, '--until', io.now(), -1) }),
    ...(outcome === undefined ? {} : { outcome: enumOf(AuditOutcomeSchema, outcome, '--outcome') as AuditOutcome }),
  };
}

const COLUMNS: readonly Column<AuditEvent>[] = [
  { title: 'TIME', value: ({ time }) => timeText(time) },
  { title: 'TYPE', value: ({ type }) => type },
  { title: 'OUTCOME', value: ({ outcome }) => enumText(AuditOutcomeSchema, outcome) },
  { title: 'SUBJECT', value: ({ subject }) => subject },
  { title: 'REASON', value: ({ reason }) => reason },
  { title: 'CALLER', value: ({ caller }) => caller },
  { title: 'ADDRESS', value: ({ client }) => client?.ip ?? '' },
  { title: 'REQUEST', value: ({ requestId }) => requestId },
];
