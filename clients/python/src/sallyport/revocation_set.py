"""What is revoked in a tenant, as WatchRevocations told it. One thread or task takes responses in, any number ask.

Readers take no lock: single operations on a dict are atomic, and a snapshot is built aside and put in place as a whole.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from sallyport.names import Subject
from sallyport.v1 import token_pb2

# Entries are kept this much longer than what they revoke, for clocks that differ (token.proto, Revocation.expire_time).
KEEP_LONGER = timedelta(days=1)


@dataclass(slots=True)
class _Entries:
    # The `sid` of a token is a session's id, or an API key's where a key was exchanged for it.
    sessions: dict[str, datetime] = field(default_factory=dict)
    users: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    signing_keys: dict[str, datetime] = field(default_factory=dict)

    def add(self, revocation: token_pb2.Revocation) -> None:
        until = revocation.expire_time.ToDatetime(tzinfo=timezone.utc) + KEEP_LONGER
        match revocation.WhichOneof("revoked"):
            case "session_id":
                self.sessions[revocation.session_id] = until
            case "api_key_id":
                self.sessions[revocation.api_key_id] = until
            case "signing_key_id":
                self.signing_keys[revocation.signing_key_id] = until
            case "user":
                epoch, known_until = self.users.get(revocation.user.user_id, (0, until))
                self.users[revocation.user.user_id] = (max(epoch, revocation.user.epoch), max(until, known_until))
            case _:
                # Of a newer server. It is not known what it takes back, so nothing may be accepted on this knowledge.
                raise UnknownRevocation

    def drop_expired(self, now: datetime) -> None:
        for entries in (self.sessions, self.signing_keys):
            for key in [key for key, until in entries.items() if until < now]:
                del entries[key]
        for key in [key for key, (_, until) in self.users.items() if until < now]:
            del self.users[key]


class UnknownRevocation(Exception):
    """The server revokes by something that this version does not know."""


class RevocationSet:
    """`position` is where to resume. Times of freshness are seconds of a monotonic clock, so that clocks need not agree."""

    def __init__(self) -> None:
        self.position = ""
        self._entries = _Entries()
        self._coming: _Entries | None = None
        self._as_of: datetime | None = None
        self._fresh_at: float | None = None

    def take(self, response: token_pb2.WatchRevocationsResponse, now: float) -> bool:
        """Takes one response in; True when it says that the tenant's signing keys changed. Raises UnknownRevocation."""
        keys_changed = False
        match response.WhichOneof("event"):
            case "snapshot":
                if response.snapshot.first or self._coming is None:
                    self._coming = _Entries()
                for revocation in response.snapshot.revocations:
                    self._coming.add(revocation)
                if response.snapshot.last:
                    self._entries, self._coming = self._coming, None
            case "changes":
                for revocation in response.changes.revocations:
                    self._entries.add(revocation)
                keys_changed = response.changes.signing_keys_changed
            case "heartbeat":
                as_of = response.heartbeat.as_of_time.ToDatetime(tzinfo=timezone.utc)
                # One that does not move on says nothing new, and what was known grows older.
                if self._as_of is None or as_of > self._as_of:
                    self._as_of, self._fresh_at = as_of, now
                self._entries.drop_expired(as_of)
            case _:
                raise UnknownRevocation
        # Empty in all parts of a snapshot but the last: a snapshot is taken whole or not at all.
        if response.position:
            self.position = response.position
        return keys_changed

    def age(self, now: float) -> float:
        """Seconds since it was complete; infinite before the first time."""
        return float("inf") if self._fresh_at is None else now - self._fresh_at

    def is_revoked(self, *, session_id: str, key_id: str, subject: Subject, epoch: int) -> bool:
        """Whether a token with these claims was taken back."""
        entries = self._entries
        if session_id in entries.sessions or key_id in entries.signing_keys:
            return True
        return subject.type == "user" and epoch < entries.users.get(subject.id, (0, None))[0]
