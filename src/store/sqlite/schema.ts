import type { CollectionName } from '../../domain/storage.ts';

// The tables. Text is compared byte by byte (SQLite's BINARY collation over UTF-8), which is the order that the port asks for and
// keeps apart what differs by case or normalization. Times are epoch milliseconds from the injected clock, never SQL time.

/** Raised with every change of the tables; kept as the file's user_version. A newer file is refused. */
export const STORE_FORMAT = 1;

/** `SLYP`: tells a Sallyport database from any other SQLite file. */
export const APPLICATION_ID = 0x534c5950;

/** Later than every time of the port (2^53 - 1 at most): `expires_at` of what never expires. Compared in SQL, never read. */
export const NEVER = 9007199254740992;

/** Collections by number, so that the indexes stay small. A number is never used for another name. */
export const COLLECTION_NUMBERS: Readonly<Record<CollectionName, number>> = {
  users: 1,
  sessions: 2,
  challenges: 3,
  apiKeys: 4,
  keySets: 5,
  providers: 6,
  tenants: 7,
};

/** Few events have the detail `about`, so it is no column. Made at every start where it is missing: the tables are the same without it. */
export const AUDIT_ABOUT = `
CREATE INDEX IF NOT EXISTS audit_event_by_about ON audit_event (tenant, json_extract(details, '$.about'))
  WHERE json_extract(details, '$.about') IS NOT NULL;`;

/**
 * `document.body` is the whole document as JSON text; the other columns are what SQL must see of it. `keys` is the JSON text of its
 * keys, so that an unchanged list is recognized by one comparison, and so that a removal finds its rows of `document_key`.
 */
export const SCHEMA = `
CREATE TABLE document (
  seq INTEGER PRIMARY KEY,
  collection INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  version TEXT NOT NULL,
  owner TEXT,
  expires_at INTEGER NOT NULL,
  written_at INTEGER NOT NULL,
  touched_at INTEGER,
  pending INTEGER NOT NULL,
  keys TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX document_by_id ON document (collection, tenant, id);
CREATE INDEX document_by_owner ON document (collection, tenant, owner, id) WHERE owner IS NOT NULL;
CREATE INDEX document_by_pending ON document (collection, written_at) WHERE pending = 1;
CREATE INDEX document_by_expiry ON document (expires_at) WHERE pending = 0 AND expires_at < ${NEVER};

CREATE TABLE document_key (
  collection INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (collection, tenant, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE counter (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  total INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX counter_by_expiry ON counter (expires_at);

CREATE TABLE log_entry (
  stream TEXT NOT NULL,
  revision INTEGER NOT NULL,
  writer TEXT NOT NULL,
  previous TEXT NOT NULL,
  digest TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (stream, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
  stream TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,
  digest TEXT NOT NULL,
  at INTEGER NOT NULL,
  nonce TEXT NOT NULL,
  chunk_digests TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint_chunk (
  nonce TEXT NOT NULL,
  number INTEGER NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (nonce, number)
) STRICT;

CREATE TABLE audit_event (
  seq INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  subject TEXT,
  outcome TEXT NOT NULL,
  details TEXT NOT NULL,
  UNIQUE (tenant, id)
) STRICT;
CREATE INDEX audit_event_by_time ON audit_event (tenant, at, id);
CREATE INDEX audit_event_by_subject ON audit_event (tenant, subject, at, id) WHERE subject IS NOT NULL;
CREATE INDEX audit_event_by_age ON audit_event (at);

${AUDIT_ABOUT}

CREATE TABLE heartbeat (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL) STRICT;
INSERT INTO heartbeat (one, at) VALUES (1, 0);
`;
