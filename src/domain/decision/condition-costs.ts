// What conditions are admitted to use, and what it can cost, in steps of about 50 ns (the units of DecisionWork). Measured by
// bench/worst-conditions.ts, and rather too much than too little: what comes to MAX_COST takes less than 1 ms.

/** Of a whole condition: when it is written, at its worst; and for the values of one question, its errors included. */
export const MAX_COST = 16_000;
/** A list is gone through this often, unless it is written out. */
export const ITERATIONS = 1000;

export const ROOTS: ReadonlySet<string> = new Set(['subject', 'resource', 'context', 'action', 'now']);
export const COMPREHENSIONS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** Functions and methods by name, with their cost. */
export const CALLS: ReadonlyMap<string, number> = new Map([
  ['has', 1],
  ['size', 400],
  ['int', 10],
  ['double', 10],
  ['string', 10],
  ['bool', 5],
  ['dyn', 1],
  ['timestamp', 20],
  ['duration', 20],
]);
export const METHODS: ReadonlyMap<string, number> = new Map([
  ['size', 400],
  ['startsWith', 5],
  ['endsWith', 5],
  ['contains', 300],
  ['getFullYear', 10],
  ['getMonth', 10],
  ['getDate', 10],
  ['getDayOfMonth', 10],
  ['getDayOfWeek', 10],
  ['getDayOfYear', 10],
  ['getHours', 10],
  ['getMinutes', 10],
  ['getSeconds', 10],
  ['getMilliseconds', 10],
]);
/** Formatting in a named time zone. */
export const TIME_ZONE_COST = 3000;
/** Comparing two values that may both be lists, or looking through one. */
export const COMPARE_COST = 600;
/** Joining two lists or texts. */
export const JOIN_COST = 300;
/** A key, itself a value, of a map that is written out: such names make the object a dictionary. */
export const KEY_COST = 8;

/** What is looked up as a key is made a text and its digest taken, which takes as long as so many comparisons. */
export const KEY_TIMES = 32;
/** The same for the end or beginning of a text, which is compared letter by letter. */
export const END_TIMES = 48;
/** The same for a text that becomes a number. */
export const CONVERSION_TIMES = 32;
export const CONVERSIONS: ReadonlySet<string> = new Set(['int', 'double']);

/** How long a text may be that a function looks at in a way that takes much longer the longer it is. */
export interface ShortText {
  /** Of an attribute. */
  readonly chars: number;
  /** With what is joined to it. */
  readonly joined: number;
}

/** The interpreter looks for the units of a duration with a regular expression that takes the cube of its length: 18 s for 4,096 digits. */
export const DURATION: ShortText = { chars: 32, joined: 48 };
/** A text of more than 250 characters is searched for with nearly all of its length at each place: 0.9 ms in place of 14 us. */
export const NEEDLE: ShortText = { chars: 128, joined: 240 };

export function durationCost(chars: number): number {
  return Math.ceil(chars ** 3 / 120);
}

/**
 * What an error costs that the condition goes on after. The interpreter draws a picture of the place in the text for each: it counts the
 * characters up to it and to the end of its line.
 */
export function errorCost(chars: number): number {
  return 36 + Math.ceil(chars / 10);
}
/** Errors are granted so much even where what is read leaves less. */
export const LEAST_FOR_ERRORS = 2000;
