"""Things that may not cross a fork: channels and threads. Each process makes its own, on first use.

A server such as `gunicorn --preload` imports the application once and forks its workers from that process. gRPC's threads do not
come along: a channel that was opened before the fork hangs in the child, and so does a new one, unless gRPC was told to expect forks.
"""

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from sallyport.errors import SallyportError

T = TypeVar("T")

# One for all: what is made under it is made once per process. Reentrant, because making one thing may take another.
_lock = threading.RLock()

# What a parent process made. It is never used here and never closed: its threads are not in this process, and closing waits for them.
_abandoned: list[object] = []


def _renew_lock() -> None:
    # Another thread of the parent may have held the old one at the fork; nobody here would ever release it.
    global _lock
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_renew_lock)


def _require_fork_support() -> None:
    """Raises SallyportError where gRPC would hang, whatever the deadline of the call."""
    if os.environ.get("GRPC_ENABLE_FORK_SUPPORT", "").lower() not in ("1", "true", "yes"):
        raise SallyportError(
            "this process was forked from one that had called Sallyport already; make the first call after the fork, "
            "or start the program with GRPC_ENABLE_FORK_SUPPORT=1"
        )


class PerProcess(Generic[T]):
    """A value that is made on first use, in each process anew. Safe for threads."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: tuple[int, T] | None = None

    def get(self) -> T:
        """This process's value. Raises what making it raises, and SallyportError where a parent made one and gRPC was not told of forks
        (https://github.com/grpc/grpc/blob/master/doc/fork_support.md).
        """
        made = self._made
        if made is not None and made[0] == os.getpid():
            return made[1]
        with _lock:
            made = self._made
            if made is None or made[0] != os.getpid():
                if made is not None:
                    _require_fork_support()
                    _abandoned.append(made[1])
                made = self._made = (os.getpid(), self._make())
            return made[1]

    def take(self) -> T | None:
        """Forgets this process's value and gives it, to be closed; None if it was never made here."""
        with _lock:
            made, self._made = self._made, None
            if made is None:
                return None
            if made[0] == os.getpid():
                return made[1]
            _abandoned.append(made[1])
            return None
