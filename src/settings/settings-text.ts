import { type Setting, settingRows } from './settings-table.ts';

// The table of settings as text: for `--help` and for docs/configuration.md (written by tools/docs/configuration.ts).

const HELP_WIDTH = 100;
const INDENT = '      ';

/** The settings as `sallyport --help` prints them. */
export function settingsHelp(): string {
  return byGroup()
    .map(([group, settings]) => `${group}\n${settings.map(helpEntry).join('')}`)
    .join('\n');
}

/** The settings as Markdown: one table per group. */
export function settingsMarkdown(): string {
  return byGroup()
    .map(([group, settings]) => {
      const rows = settings.map(
        (setting) =>
          `| \`${setting.variable}\` | ${fallbackText(setting, '`')} | ${cell(setting.form.accepts)} | ${cell(setting.description)} |`,
      );
      return `## ${group}\n\n| variable | default | accepted | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
    })
    .join('\n');
}

function helpEntry(setting: Setting<unknown>): string {
  const text = `${setting.description} Accepted: ${setting.form.accepts}.`.replaceAll('`', '');
  return `  ${setting.variable} (default: ${fallbackText(setting, '')})\n${wrap(text)}`;
}

function fallbackText(setting: Setting<unknown>, quote: string): string {
  if (setting.fallbackNote !== undefined) return setting.fallbackNote;
  return setting.fallback === undefined ? 'none' : `${quote}${setting.fallback}${quote}`;
}

/** A pipe would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function wrap(text: string): string {
  const lines: string[] = [];
  let line = INDENT;
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > HELP_WIDTH && line.trim() !== '') {
      lines.push(line);
      line = INDENT;
    }
    line += line === INDENT ? word : ` ${word}`;
  }
  lines.push(line);
  return `${lines.join('\n')}\n`;
}

function byGroup(): [string, Setting<unknown>[]][] {
  return [
    ...Map.groupBy(
      settingRows().map(([, setting]) => setting),
      ({ group }) => group,
    ),
  ];
}
