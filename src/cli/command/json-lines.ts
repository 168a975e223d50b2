import type { JsonValue } from '@bufbuild/protobuf';
import { CommandError, type CommandIo } from './command-io.ts';

/** The values of a file of JSON lines (`-`: standard input), each with its place for messages; empty lines are passed over. */
export async function* jsonLines(
  io: CommandIo,
  file: string,
): AsyncGenerator<{ readonly value: JsonValue; readonly place: string }> {
  let number = 0;
  for await (const line of io.files.lines(file)) {
    number += 1;
    if (line.trim() === '') continue;
    const place = `${file === '-' ? 'standard input' : file}:${number}`;
    let value: JsonValue;
    try {
      value = JSON.parse(line) as JsonValue;
    } catch {
      throw new CommandError(`${place}: this line is no JSON`);
    }
    yield { value, place };
  }
}
