"""The package oidc-provider, started as the service's own tests do, and a browser that logs in there."""

import json
import subprocess
from typing import Any

from tests.support.service import ROOT, node


class Provider:
    """Whoever comes is logged in as the account that is named, and consents."""

    def __init__(self, redirect_uri: str) -> None:
        script = ROOT / "test" / "support" / "real-provider-process.ts"
        self._process = subprocess.Popen(
            [node(), str(script), redirect_uri],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        where = self._read()
        self.issuer, self.ca_file = where["issuer"], where["caFile"]
        self.client_id, self.client_secret = where["clientId"], where["clientSecret"]

    def browse(self, url: str, account: str | None) -> dict[str, str]:
        """From the authorization URL to the redirect URI: the parameters that the browser brings there. None clicks "cancel"."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"account": account, "url": url}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def stop(self) -> None:
        self._process.communicate()

    def _read(self) -> dict[str, Any]:
        """The next line of JSON; the package warns in others that it is not for production."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                read: dict[str, Any] = json.loads(line)
                return read
        raise RuntimeError("the provider ended")
