import type { DescEnum } from '@bufbuild/protobuf';

/** The name of an enum value as the contract spells it. */
export const nameOf = (schema: DescEnum, value: number | undefined): string =>
  schema.value[value ?? 0]?.name ?? String(value);

/** Prints the steps of the tour: a sentence, then the answer as it came, secrets shortened. */
export interface Printer {
  note(text: string): void;
  /** `answer` is printed as `name  value` lines. */
  step(sentence: string, answer: Readonly<Record<string, unknown>>): void;
}

const LONG = 44;

export function printer(write: (line: string) => void): Printer {
  let count = 0;
  return {
    note: write,
    step: (sentence, answer) => {
      count += 1;
      write(`\n${String(count).padStart(2)}. ${sentence}`);
      const width = Math.max(...Object.keys(answer).map((name) => name.length));
      for (const [name, value] of Object.entries(answer)) {
        lines(value).forEach((line, index) => {
          write(`      ${(index === 0 ? name : '').padEnd(width)}  ${line}`);
        });
      }
    },
  };
}

/** A list of sentences has a line for each; anything else is one line. */
function lines(value: unknown): string[] {
  if (Array.isArray(value) && value.some((item) => String(item).includes(' '))) return value.map(shown);
  return [Array.isArray(value) ? value.map(shown).join(', ') : shown(value)];
}

/** Tokens are shortened, sentences are not. */
function shown(value: unknown): string {
  const text = String(value);
  return text.length > LONG && !text.includes(' ') ? `${text.slice(0, LONG)}... (${text.length} characters)` : text;
}
