import type { GrantPage } from './decision-index.ts';
import type { GrantTable } from './grant-table.ts';
import type { Grant, GrantFilter } from './use-cases.ts';

// Walks over grants by filter. Slot order is the order of first writing, the same on every replica and after every rebuild, so a
// page token is the position at which the next page begins.

/** Slots looked at for one page: about 5 ms. A page can be short, or empty, and not the last. */
const MAX_LOOKED_AT = 200_000;
/** Longer lists of one subject or resource are walked in slot order instead, so that a page never sorts a million of them. */
const MAX_SORTED = 10_000;

/** One page of living grants. `from` is a position of the walk, 0 to begin; `now` is epoch ms. */
export function listSlots(
  grants: GrantTable,
  filter: GrantFilter,
  from: number,
  limit: number,
  now: number,
): GrantPage {
  const selects = selectorOf(grants, filter);
  const few = fewSlots(grants, filter);
  const found: Grant[] = [];
  let looked = 0;
  for (const slot of few ?? grants.slotsFrom(from)) {
    const position = grants.positionOf(slot);
    if (position < from) continue;
    looked += 1;
    if (few === undefined && looked > MAX_LOOKED_AT) return { grants: found, next: position };
    const expiry = grants.expiryOf(slot);
    if (!selects(slot) || (expiry !== 0 && expiry <= now)) continue;
    const placed = grants.at(slot);
    if (placed === undefined) continue;
    if (found.length === limit) return { grants: found, next: position };
    found.push(placed.grant);
  }
  return { grants: found, next: undefined };
}

/** Every slot that a filter selects, in no certain order; each may be removed while the walk is under way. */
export function* selectedSlots(grants: GrantTable, filter: GrantFilter): Generator<number> {
  const selects = selectorOf(grants, filter);
  for (const slot of listOf(grants, filter) ?? grants.slotsFrom(0)) if (selects(slot)) yield slot;
}

/** Whether a slot's grant matches every field that the filter sets, told by numbers: a name that nobody mentioned selects nothing. */
function selectorOf(grants: GrantTable, { subject, resource, role }: GrantFilter): (slot: number) => boolean {
  const by = subject === undefined ? undefined : grants.nodes.findSubject(subject);
  const on = resource === undefined ? undefined : grants.nodes.find(resource.type, resource.id);
  const of = role === undefined ? undefined : grants.whats.find({ kind: 'role', role });
  if (by === 0 || on === 0 || of === 0) return () => false;
  return (slot) =>
    grants.isHeld(slot) &&
    (by === undefined || grants.subjectOf(slot) === by) &&
    (on === undefined || grants.resourceOf(slot) === on) &&
    (of === undefined || grants.whatOf(slot) === of);
}

function listOf(grants: GrantTable, filter: GrantFilter): Iterable<number> | undefined {
  if (filter.resource !== undefined) return grants.slotsOn(filter.resource);
  return filter.subject === undefined ? undefined : grants.slotsOf(filter.subject);
}

/** The sorted slots of the filter's resource or subject, unless they are many. */
function fewSlots(grants: GrantTable, filter: GrantFilter): readonly number[] | undefined {
  const listed = listOf(grants, filter);
  if (listed === undefined) return undefined;
  const slots: number[] = [];
  for (const slot of listed) {
    if (slots.length === MAX_SORTED) return undefined;
    slots.push(slot);
  }
  return slots.sort((left, right) => left - right);
}
