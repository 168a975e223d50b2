import { checkTogether, warnAbout } from './cross-checks.ts';
import { type Setting, type SettingProblem, type Settings, settingRows } from './settings-table.ts';
import { closestName, unknownVariables } from './unknown-variables.ts';

export type ParsedSettings =
  | { readonly kind: 'ok'; readonly settings: Settings; readonly warnings: readonly string[] }
  /** Everything that is wrong, in the order of the table. */
  | { readonly kind: 'invalid'; readonly problems: readonly SettingProblem[] };

const MAX_SHOWN_CHARACTERS = 100;

/** Parses `SALLYPORT_*` of `env` by the table. Reads no file and nothing else of the machine. */
export function parseSettings(env: NodeJS.ProcessEnv): ParsedSettings {
  const rows = settingRows();
  const problems: SettingProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of rows) {
    const parsed = parseOne(setting, env[setting.variable]);
    if (parsed.ok) values[name] = parsed.value;
    else problems.push({ variable: setting.variable, text: parsed.text });
  }
  problems.push(...unknownProblems(env, new Set(rows.map(([, setting]) => setting.variable))));
  // The checks across settings would only repeat what is wrong with one of them.
  if (problems.length > 0) return { kind: 'invalid', problems };
  // Each value came out of its own row's schema just above.
  const settings = values as Settings;
  const together = checkTogether(settings);
  return together.length > 0
    ? { kind: 'invalid', problems: together }
    : { kind: 'ok', settings, warnings: warnAbout(settings) };
}

/** The problems as lines for standard error. */
export function formatProblems(problems: readonly SettingProblem[]): string {
  const lines = problems.map(({ variable, text }) => `  ${variable} ${text}\n`);
  return `Sallyport cannot start: ${problems.length === 1 ? 'a setting is' : 'some settings are'} wrong.\n\n${lines.join('')}\nAll settings: sallyport --help, or docs/configuration.md\n`;
}

type ParsedOne = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly text: string };

function parseOne(setting: Setting<unknown>, given: string | undefined): ParsedOne {
  const text = given ?? setting.fallback;
  if (text === undefined) return { ok: true, value: undefined };
  // An empty value is mostly an unset variable of some template: not the same as leaving it out on purpose.
  if (text.trim() === '') return { ok: false, text: `is empty; leave it out, or give ${setting.form.accepts}` };
  const parsed = setting.form.schema.safeParse(text);
  if (parsed.success) return { ok: true, value: parsed.data };
  const what = parsed.error.issues[0]?.message ?? 'is wrong';
  return { ok: false, text: `${what}${shown(setting, text)}; accepted: ${setting.form.accepts}` };
}

function shown(setting: Setting<unknown>, text: string): string {
  if (setting.secret) return '';
  const cut = text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}...` : text;
  return ` (got ${JSON.stringify(cut)})`;
}

function unknownProblems(env: NodeJS.ProcessEnv, known: ReadonlySet<string>): SettingProblem[] {
  return unknownVariables(env, known).map((variable) => {
    const meant = closestName(variable, known);
    return { variable, text: `is not a setting of Sallyport${meant === undefined ? '' : `; did you mean ${meant}?`}` };
  });
}
