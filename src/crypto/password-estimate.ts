import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';

// How well known and how guessable a password is. Run on a thread of the hashing process: an estimate takes milliseconds, of a password
// that was made for it half a second, and the lists some 50 MB.

export interface PasswordEstimate {
  /** It is on the list of common passwords, or would be in another spelling. */
  readonly common: boolean;
  /** zxcvbn's score, 0 (guessed at once) to 4. */
  readonly score: number;
}

/** zxcvbn's time grows with length, and what comes after so much adds nothing that is worth it. */
const SCORED_CHARS = 72;
/** A shorter rest says nothing: two letters before a row of random digits are no common password. */
const MIN_REST_CHARS = 3;

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '!': 'i',
  '2': 'z',
  '3': 'e',
  '4': 'a',
  '@': 'a',
  '5': 's',
  $: 's',
  '6': 'g',
  '7': 't',
  '+': 't',
  '8': 'b',
  '9': 'g',
  '(': 'c',
  '|': 'l',
};

const common = new Set(dictionary['passwords-common']);
const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });

/** `context`: what an attacker would know of the user. */
export function estimatePassword(password: string, context: readonly string[]): PasswordEstimate {
  const scored = [...password].slice(0, SCORED_CHARS).join('');
  return { common: isCommon(password), score: zxcvbn.check(scored, [...context]).score };
}

/** After folding case, undoing leet spelling, and stripping digits and symbols from the end. */
export function isCommon(password: string): boolean {
  const folded = password.normalize('NFKC').toLowerCase();
  const rest = folded.replace(/[^\p{L}\p{M}]+$/u, '');
  const texts = rest.length >= MIN_REST_CHARS ? [folded, rest] : [folded];
  return texts.some((text) => [text, plain(text, 'i'), plain(text, 'l')].some((each) => common.has(each)));
}

/** Without leet spelling; `one` is what a 1 stands for. */
function plain(text: string, one: 'i' | 'l'): string {
  return [...text].map((char) => (char === '1' ? one : (LEET[char] ?? char))).join('');
}
