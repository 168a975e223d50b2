"""Waiting for what another process or thread does."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 15.0


def eventually(holds: Callable[[], bool], patience: float = PATIENCE_SECONDS) -> None:
    """Asks until it holds. Fails after `patience` seconds."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < patience, "it did not come to hold"
        time.sleep(0.02)
