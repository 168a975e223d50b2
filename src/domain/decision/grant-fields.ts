// What is kept of a grant: fields of the record of its id, so that all that a decision reads of it lies together.

export const SUBJECT = 0;
export const RESOURCE = 1;
/** The next grant in the chain of its pair's bucket. */
export const PAIR_NEXT = 2;
/** What it speaks of times 2, plus 1 for a deny. */
export const WHAT = 3;
/** A number of a condition; 0: none. */
export const CONDITION = 4;
/** The set that a grant makes its subject a member of, where something was granted to that set; otherwise 0. */
export const MEMBER_OF = 5;
/** Epoch ms in two fields; 0: for good. */
export const EXPIRY = 6;
/** In two fields; see PlacedGrant. */
export const POSITION = 8;
export const MEMBERSHIP_NEXT = 10;
export const MEMBERSHIP_PREVIOUS = 11;
export const GRANTED_NEXT = 12;
export const GRANTED_PREVIOUS = 13;
export const ON_NEXT = 14;
export const ON_PREVIOUS = 15;
/** Of the names of subject and resource. */
export const PAIR_HASH = 16;
export const GRANT_FIELDS = 17;
