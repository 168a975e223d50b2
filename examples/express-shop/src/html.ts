import escapeText from 'escape-html';

/** Text that is HTML already. Only `html` makes it, and what goes into it from outside is escaped. */
export interface Html {
  readonly html: string;
}

type Part = string | number | Html | readonly Html[] | undefined;

/** HTML with every inserted text escaped; HTML goes in as it is, and undefined is nothing. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: texts.map((text, index) => text + written(parts[index])).join('') };
}

function written(part: Part): string {
  if (part === undefined) return '';
  if (typeof part !== 'object') return escapeText(String(part));
  return 'html' in part ? part.html : part.map((each) => each.html).join('');
}
