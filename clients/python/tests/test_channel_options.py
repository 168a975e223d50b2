"""Which calls are repeated, told from the contract itself."""

import importlib
import pkgutil

import pytest
from google.protobuf.descriptor import MethodDescriptor

import sallyport.v1
from sallyport.channel_options import REPEATED

# What counts as an attempt, uses something up, or cannot be given again.
NEVER = {"Authenticate", "VerifyTotp", "ConfirmTotp", "ChangePassword", "ResetPassword", "CreateApiKey", "RotateApiKey"}
READS = ("Get", "List", "Authorize", "BatchAuthorize", "CheckPassword", "VerifyApiKey", "VerifySession", "VerifyToken")


def methods() -> list[MethodDescriptor]:
    found = []
    for module in pkgutil.iter_modules(sallyport.v1.__path__):
        if module.name.endswith("_pb2"):
            contract = importlib.import_module(f"sallyport.v1.{module.name}").DESCRIPTOR
            found += [method for service in contract.services_by_name.values() for method in service.methods]
    return found


def test_every_call_that_only_reads_is_repeated_and_no_attempt_is() -> None:
    repeated = {(service, name) for service, names in REPEATED.items() for name in names}
    known = {(method.containing_service.name, method.name) for method in methods()}
    assert repeated <= known
    assert {one for one in known if one[1].startswith(READS)} <= repeated
    assert not {name for _, name in repeated} & NEVER


@pytest.mark.parametrize("name", ["CreateUser", "IssueTokens", "WriteGrants"])
def test_a_write_that_is_repeated_has_a_request_id(name: str) -> None:
    (method,) = (method for method in methods() if method.name == name)
    assert "request_id" in method.input_type.fields_by_name
