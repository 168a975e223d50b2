"""Processes that are forked from one that has the client, as by `gunicorn --preload`."""

import os
import subprocess
import sys

import pytest

from tests.support.world import World

# A parent that calls before it forks, or not; four children that call.
PROGRAM = """
import os, sys
from sallyport import Client, SallyportError, Subject
client = Client.from_env()
# One write for each line, so that the lines of several processes stay whole.
tell = lambda who, what: os.write(1, f"{who} {what}\\n".encode())
ask = lambda: client.authorize(Subject("user", sys.argv[1]), "reports:read").reason
if sys.argv[2] == "before":
    tell("parent", ask())
for _ in range(4):
    if os.fork() == 0:
        try:
            tell("child", ask())
        except SallyportError as error:
            tell("child", "GRPC_ENABLE_FORK_SUPPORT" in str(error))
        os._exit(0)
for _ in range(4):
    os.wait()
tell("parent", ask())
"""
PARENT = "parent GRANTED"


@pytest.mark.parametrize(
    ("first_call", "fork_support", "lines"),
    [
        ("after", "0", ["child GRANTED"] * 4 + [PARENT]),
        ("before", "1", [PARENT] + ["child GRANTED"] * 4 + [PARENT]),
        # gRPC would hang: it is an error at once instead.
        ("before", "0", [PARENT] + ["child True"] * 4 + [PARENT]),
    ],
)
def test_every_process_has_a_channel_of_its_own(
    world: World, first_call: str, fork_support: str, lines: list[str]
) -> None:
    env = {
        **os.environ,
        "SALLYPORT_CLIENT_ADDRESS": world.address,
        "SALLYPORT_CLIENT_API_KEY": world.app_key,
        "GRPC_ENABLE_FORK_SUPPORT": fork_support,
    }
    command = [sys.executable, "-c", PROGRAM, world.users["viewer"], first_call]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.splitlines() == lines
