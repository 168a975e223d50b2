import { type Link, MAX_TIME_MS } from './link.ts';

/**
 * What a record holds now, after a write whose outcome is not known. `undefined`: it is not there.
 *
 * A read would not do: by majority it may not see yet what the write left on the primary, and without it may see what is still
 * rolled back. This is a write that changes nothing (every such number is at least 0), so the primary answers with what it has, and
 * acknowledges it by the store's write concern only when a majority has that too.
 */
export async function readBack<F extends object>(
  link: Link,
  name: string,
  place: { readonly _id: string; readonly t?: string },
  fields: { readonly number: string; readonly wanted: readonly (keyof F & string)[] },
  signal: AbortSignal | undefined,
): Promise<F | undefined> {
  const records = link.records<{ _id: string }>(name);
  const projection = Object.fromEntries(fields.wanted.map((field) => [field, 1]));
  const nothing = { $max: { [fields.number]: -1 } };
  const options = { projection, returnDocument: 'before', maxTimeMS: MAX_TIME_MS } as const;
  const found = await link.run(() => records.findOneAndUpdate(place, nothing, options), signal);
  return found === null ? undefined : (found as object as F);
}
