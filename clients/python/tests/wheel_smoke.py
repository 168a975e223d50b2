"""What a fresh environment has after `pip install sallyport_client-*.whl`; `check` runs it there, far from the sources."""

import importlib
import pkgutil
from importlib.metadata import requires
from pathlib import Path

import sallyport
import sallyport.v1

package = Path(sallyport.__file__).parent
assert "site-packages" in package.parts, package
assert (package / "py.typed").is_file()
modules = [found.name for found in pkgutil.walk_packages(sallyport.__path__, "sallyport.")]
for name in modules:
    importlib.import_module(name)
for contract in ("authorization_pb2", "authorization_pb2_grpc"):
    assert f"sallyport.v1.{contract}" in modules
    assert (package / "v1" / f"{contract}.pyi").is_file()
assert not any("pytest" in requirement for requirement in requires("sallyport-client") or ())
print(f"{len(modules)} modules import without a warning")  # noqa: T201
