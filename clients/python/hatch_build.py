"""Generates `sallyport.v1` from the contract when the wheel is built, so that the stubs cannot differ from it."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MYPY_PLUGINS = ("mypy", "mypy_grpc")


class GenerateStubs(BuildHookInterface[Any]):
    """Called by hatchling before it packs, for a wheel, an editable install and a source distribution alike."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        # In the repository the contract is beside the clients; in a source distribution it was packed along.
        proto = next(folder for folder in (root / "proto", root.parent.parent / "proto") if folder.is_dir())
        out = root / "src"
        package = out / "sallyport" / "v1"
        shutil.rmtree(package, ignore_errors=True)
        package.mkdir()
        (package / "__init__.py").write_text('"""Messages and stubs generated from proto/sallyport/v1."""\n')
        outputs = [f"--{kind}_out={out}" for kind in ("python", "grpc_python", *MYPY_PLUGINS)]
        plugins = [f"--plugin=protoc-gen-{name}={find_plugin(name)}" for name in MYPY_PLUGINS]
        files = sorted(str(file) for file in proto.glob("sallyport/v1/*.proto"))
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{proto}", *plugins, *outputs, *files]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def find_plugin(name: str) -> str:
    """The plugin of mypy-protobuf that was installed for this build."""
    program = f"protoc-gen-{name}"
    found = shutil.which(program) or shutil.which(program, path=sysconfig.get_path("scripts"))
    if found is None:
        raise RuntimeError(f"{program} of mypy-protobuf is not installed")
    return found
