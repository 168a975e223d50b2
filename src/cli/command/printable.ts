// Text of a server or a file on its way to a terminal. What a user's display name holds must not move the cursor, change the window's title or
// turn the reading order round: control characters (C0, DEL, C1), line and paragraph separators, and the bidirectional controls of Unicode.

const HARMFUL = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const HARMFUL_BUT_LINES = /[^\P{Cc}\n]|[\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** One line without any of them; each becomes the replacement character. */
export function printable(text: string): string {
  return text.replace(HARMFUL, '\ufffd');
}

/** The same for a text of several lines. */
export function printableLines(text: string): string {
  return text.replace(HARMFUL_BUT_LINES, '\ufffd');
}

/** JSON in which they are escapes, which means the same to whoever parses it. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(HARMFUL, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
