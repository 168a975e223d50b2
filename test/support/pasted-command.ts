import assert from 'node:assert/strict';

/** A command of the start screen, an indented paragraph, as a person would copy it. */
export function pastedCommand(screen: string, tool: string): string {
  const command = new RegExp(`^ {2}${tool} (?:.*\\\\\\n)*.*$`, 'm').exec(screen)?.[0];
  assert.ok(command, `no ${tool} command on the screen:\n${screen}`);
  return command;
}
