import { type DescMessage, type MessageShape, toJson } from '@bufbuild/protobuf';
import type { CommandIo } from './command-io.ts';
import { printable, printableJson } from './printable.ts';
import { createTable, fieldLines } from './table.ts';

// What commands print: for people fields and tables, for programs (--json) the JSON form of the contract's messages, one per line.

export interface Column<T> {
  readonly title: string;
  readonly value: (item: T) => string;
}

export type Fields = readonly (readonly [name: string, value: string])[];

export interface Output {
  readonly isJson: boolean;
  /** One thing: its JSON, or its fields; empty values are left out. */
  one<D extends DescMessage>(schema: D, message: MessageShape<D>, fields: Fields): void;
  /** Things as they come: a line of JSON each, or a table. Returns how many. */
  list<D extends DescMessage>(
    schema: D,
    items: AsyncIterable<MessageShape<D>>,
    columns: readonly Column<MessageShape<D>>[],
  ): Promise<number>;
  /** A value of the command's own: its JSON, or its lines. */
  plain(value: unknown, lines: readonly string[]): void;
  /** A remark for people, on standard error, so that pipes stay clean. */
  note(text: string): void;
}

export function createOutput(io: CommandIo, isJson: boolean): Output {
  const json = (value: unknown): void => io.out(`${printableJson(value)}\n`);
  return {
    isJson,
    one: (schema, message, fields) => {
      if (isJson) return json(toJson(schema, message));
      const lines = fieldLines(fields.filter(([, value]) => value !== ''));
      io.out(`${lines.join('\n')}\n`);
    },
    list: async (schema, items, columns) => {
      const titles = columns.map(({ title }) => title);
      const table = createTable(titles, io.terminal.columns, (line) => io.out(`${line}\n`));
      let count = 0;
      try {
        for await (const item of items) {
          count += 1;
          if (isJson) json(toJson(schema, item));
          else table.add(columns.map(({ value }) => value(item)));
        }
      } finally {
        table.end();
      }
      return count;
    },
    plain: (value, lines) => {
      if (isJson) json(value);
      else for (const line of lines) io.out(`${printable(line)}\n`);
    },
    note: (text) => io.err(`${printable(text)}\n`),
  };
}
