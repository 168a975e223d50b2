import type { Command } from 'commander';
import { CommandError } from './command-io.ts';
import { collect, pairsOf, timeOf } from './values.ts';

// What bounds a key and what describes it: the same options when it is made and when it is changed.

export interface KeyLimitOptions {
  readonly scope?: readonly string[];
  readonly displayName?: string;
  readonly expires?: string;
  readonly network?: readonly string[];
  readonly rate?: string;
  readonly burst?: string;
  readonly audience?: readonly string[];
  readonly metadata?: readonly string[];
}

export function withKeyLimits(command: Command): Command {
  return command
    .option('--scope <pattern>', 'narrow it to a permission or pattern (repeatable)', collect)
    .option('--display-name <name>', 'for people')
    .option('--expires <time>', 'when it stops working: a date, or such as 90d')
    .option('--network <cidr>', 'a network it may be used from (repeatable)', collect)
    .option('--rate <calls>', 'calls per minute')
    .option('--burst <calls>', 'with --rate: calls at once after a pause; what a second allows where it is not given')
    .option('--audience <audience>', 'whom tokens may be for that are issued to it (repeatable)', collect)
    .option('--metadata <name=value>', 'a note of your own (repeatable)', collect);
}

/** The options by the fields' names in the contract; only those that were given. `now`: ms, for times that count from it. */
export function keyLimits(options: KeyLimitOptions, now: number) {
  const { scope, displayName, expires, network, rate, burst, audience, metadata } = options;
  if (burst !== undefined && rate === undefined) throw new CommandError('--burst goes with --rate: both are set anew');
  return {
    ...(scope === undefined ? {} : { scopes: [...scope] }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(expires === undefined ? {} : { expireTime: timeOf(expires, '--expires', now, 1) }),
    ...(network === undefined ? {} : { allowedNetworks: [...network] }),
    ...(rate === undefined ? {} : { rateLimit: rateLimitOf(rate, burst) }),
    ...(audience === undefined ? {} : { allowedAudiences: [...audience] }),
    ...(metadata === undefined ? {} : { metadata: pairsOf(metadata, '--metadata') }),
  };
}

/** Of an update mask, by the option that sets the field; --burst is part of that of --rate. */
const FIELDS: Readonly<Record<Exclude<keyof KeyLimitOptions, 'burst'>, string>> = {
  scope: 'scopes',
  displayName: 'display_name',
  expires: 'expire_time',
  network: 'allowed_networks',
  rate: 'rate_limit',
  audience: 'allowed_audiences',
  metadata: 'metadata',
};

/** The update mask of an update: what was given, and what `cleared` names, by the option without its dashes. */
export function keyUpdateMask(options: KeyLimitOptions, cleared: readonly string[]): string[] {
  const named = Object.entries(FIELDS).map(([option, field]) => {
    const flag = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return { flag, field, isGiven: options[option as keyof KeyLimitOptions] !== undefined };
  });
  for (const name of cleared) {
    const found = named.find(({ flag }) => flag === name);
    if (found === undefined) {
      throw new CommandError(`--clear must be one of ${named.map(({ flag }) => flag).join(', ')}`);
    }
    if (found.isGiven) throw new CommandError(`--${name} and --clear ${name} contradict each other`);
  }
  return named.filter(({ flag, isGiven }) => isGiven || cleared.includes(flag)).map(({ field }) => field);
}

function rateLimitOf(rate: string, burst: string | undefined) {
  const callsPerMinute = wholeNumber(rate, '--rate must be a whole number of calls per minute');
  if (burst === undefined) return { callsPerMinute };
  return { callsPerMinute, burst: wholeNumber(burst, '--burst must be a whole number of calls') };
}

function wholeNumber(text: string, otherwise: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isInteger(number)) throw new CommandError(otherwise);
  return number;
}
