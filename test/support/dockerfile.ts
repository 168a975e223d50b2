// Just enough of a Dockerfile's grammar for the test that performs its steps: stages, instructions, continued lines.
// https://docs.docker.com/reference/dockerfile/

export interface Instruction {
  /** In capitals: COPY, RUN ... */
  readonly keyword: string;
  readonly rest: string;
}

export interface Stage {
  readonly image: string;
  /** Absent where the stage has no `AS name`. */
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** The stages in order. */
export function parseDockerfile(text: string): Stage[] {
  const stages: { image: string; name: string | undefined; instructions: Instruction[] }[] = [];
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  for (const line of lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')) {
    const [, keyword = '', rest = ''] = /^\s*(\w+)\s+(.*?)\s*$/.exec(line) ?? [];
    if (keyword.toUpperCase() === 'FROM') {
      const [, image = '', name] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(rest) ?? [];
      stages.push({ image, name, instructions: [] });
    } else {
      stages.at(-1)?.instructions.push({ keyword: keyword.toUpperCase(), rest });
    }
  }
  return stages;
}

/** The arguments of each instruction with this keyword. */
export function all(stage: Stage, keyword: string): string[] {
  return stage.instructions.filter((instruction) => instruction.keyword === keyword).map(({ rest }) => rest);
}

/** `ENV A=b`: one variable per instruction is all that our file uses. */
export function environment(stage: Stage): Record<string, string> {
  return Object.fromEntries(
    all(stage, 'ENV').map((rest) => [rest.slice(0, rest.indexOf('=')), rest.slice(rest.indexOf('=') + 1)]),
  );
}

/** The JSON form of CMD and ENTRYPOINT, wherever it stands in `rest`. */
export function command(rest: string): string[] {
  return JSON.parse(rest.slice(rest.indexOf('['))) as string[];
}
