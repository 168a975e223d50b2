import type { Command } from 'commander';

// Ids are 22 or 43 characters of base64url, so one in 64 begins with `-`, which a command line takes for an option. Such an argument is
// marked before commander sees it and bare again when the command gets it: `user get -3f...` works without a `--` before it.

const DASHED_ID = /^-(?:[\w-]{21}|[\w-]{42})$/;
/** No argument of a process can hold it. */
const MARK = '\0';

/** The arguments, those marked that are ids and look like options. What `program` has as an option stays one. */
export function marked(args: readonly string[], program: Command): string[] {
  return args.map((arg) => (DASHED_ID.test(arg) && !hasOption(program, arg) ? MARK + arg : arg));
}

/** A text without marks: an argument, or what commander says of one. */
export function bare(text: string): string {
  return text.replaceAll(MARK, '');
}

/** Options with bare values. */
export function bareOptions<O extends object>(options: O): O {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, bareValue(value)])) as O;
}

function bareValue(value: unknown): unknown {
  if (typeof value === 'string') return bare(value);
  return Array.isArray(value) ? value.map(bareValue) : value;
}

function hasOption(command: Command, flag: string): boolean {
  return command.options.some(({ long }) => long === flag) || command.commands.some((each) => hasOption(each, flag));
}
