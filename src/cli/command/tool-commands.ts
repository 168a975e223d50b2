import type { Command } from 'commander';
import { consent } from './ask.ts';
import { type Kit, local } from './kit.ts';
import type { Finding, ImportReport } from './offline-work.ts';
import { createOutput } from './output.ts';
import { printable } from './printable.ts';
import { offline } from './store-commands.ts';

const MARKS: Readonly<Record<Finding['status'], string>> = { ok: 'ok', warning: 'WARN', failed: 'FAIL' };

/** `sallyport export|import|doctor` and `sallyport admin recover`: on a store of either kind. */
export function addToolCommands(kit: Kit, program: Command): void {
  const { io } = kit;
  offline<{ json?: boolean; force?: boolean }>(
    kit,
    program,
    'export <file>',
    'writes all of a store to a file that a store of either kind can take over; secrets stay sealed',
    async (output, [file = ''], { force }, onProgress) => {
      const report = await io.offline.export(file, force === true, onProgress);
      output.plain({ file, ...report }, [`${file}: ${report.lines} lines, sha256 ${report.sha256}`]);
      if (!report.isExact) output.note('somebody wrote meanwhile: for one state of the whole, stop the services first');
    },
  ).option('--force', 'replace a file that is there');
  offline<{ json?: boolean }>(
    kit,
    program,
    'import <file>',
    'takes an export over into an empty store; one that was interrupted goes on',
    async (output, [file = ''], _, onProgress) => {
      const report = await io.offline.import(file, onProgress);
      output.plain(report, importLines(report));
      if (report.opens === undefined)
        output.note('no master key is here: give the one that the export was written under');
    },
  );
  local<{ json?: boolean }>(
    kit,
    program,
    'doctor',
    'looks at settings, files, store, keys and certificates; exit code 1 when anything has failed',
    async (_, { json }) => {
      const output = createOutput(io, json === true);
      let isWell = true;
      for await (const finding of io.offline.diagnose()) {
        isWell &&= finding.status !== 'failed';
        const text = printable(finding.text.replaceAll('\n', '; '));
        output.plain(finding, [`${MARKS[finding.status].padEnd(5)}${finding.name.padEnd(22)}${text}`]);
      }
      return isWell ? 0 : 1;
    },
  ).option('--json', 'print JSON, one object per line');
  const admin = program.command('admin').description('the administrator');
  offline<{ json?: boolean; out?: string; yes?: boolean }>(
    kit,
    admin,
    'recover',
    'makes a new administrator key when all are lost, given the store and its master key',
    async (output, _, { out, yes }) => {
      await consent(io, 'Make a new key for the administrator of this store?', yes);
      const file = await io.offline.recoverAdmin(out);
      output.plain({ file }, [`the new administrator key is in ${file}`]);
      output.note(
        'other keys of service:admin still work: `sallyport key list --tenant sallyport --owner service:admin`',
      );
    },
  )
    .option('--out <file>', 'where to put it; otherwise admin.key in the data directory')
    .option('--yes', 'do not ask');
}

function importLines({ lines, sha256, wasResumed }: ImportReport): readonly string[] {
  return [
    `imported and compared ${lines} lines${wasResumed ? ', going on from an earlier try' : ''}, sha256 ${sha256}`,
  ];
}
