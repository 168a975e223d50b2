"""Puts the policy, people, grants and keys of the example into a Sallyport, with an administrator's key.

    python -m reports.seed 127.0.0.1:50051 data/admin.key

prints the environment of the application and the key of its machine.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import grpc

from sallyport import Client, Settings
from sallyport.errors import error_of
from sallyport.v1 import (
    api_key_pb2,
    api_key_pb2_grpc,
    decision_pb2,
    grant_pb2,
    policy_pb2,
    policy_pb2_grpc,
    subject_pb2,
    user_pb2,
    user_pb2_grpc,
)

PASSWORD = "Lamp-and-Chair-4711"  # noqa: S105
"""Of everybody. This is an example."""
AUDIENCE = "reports"
ROLES = {"reader": ["reports:read"], "editor": ["reports:read", "reports:publish"]}


@dataclass(frozen=True, slots=True)
class Seeded:
    application_key: str
    machine_key: str
    machine_key_id: str


def seed(address: str, admin_key: str) -> Seeded:
    """What is there already stays, but the policy is replaced and the keys are new. Raises grpc.RpcError."""
    with Client(Settings(address=address, api_key=admin_key)) as admin:
        roles = [policy_pb2.Role(name=name, permissions=permissions) for name, permissions in ROLES.items()]
        policy = policy_pb2.Policy(roles=roles)
        admin.stub(policy_pb2_grpc.PolicyServiceStub).ApplyPolicy(policy_pb2.ApplyPolicyRequest(policy=policy))
        rita, ed = (_person(admin, f"{name}@reports.example") for name in ("rita", "ed"))
        # Rita reads one report, and Ed does everything with all of them; the machine reads that of sales.
        _grant(admin, "", ("user", rita), "reader", ("report", "sales"))
        _grant(admin, "", ("user", ed), "editor")
        _grant(admin, "", ("service", "nightly"), "reader", ("report", "sales"))
        _grant(admin, "sallyport", ("service", "flask-reports"), "application", ("tenant", "default"))
        application, _ = _key(admin, "sallyport", "flask-reports")
        return Seeded(application, *_key(admin, "", "nightly"))


def _person(admin: Client, email: str) -> str:
    users = admin.stub(user_pb2_grpc.UserServiceStub)
    identifier = user_pb2.Identifier(kind=user_pb2.IDENTIFIER_KIND_EMAIL, value=email)
    request = user_pb2.CreateUserRequest(identifiers=[identifier], password=PASSWORD)
    try:
        return users.CreateUser(request, timeout=admin.settings.login_timeout).user.id
    except grpc.RpcError as error:
        if error_of(error).reason != "IDENTIFIER_TAKEN":
            raise
        return users.GetUser(user_pb2.GetUserRequest(identifier=email)).user.id


def _grant(
    admin: Client, tenant: str, subject: tuple[str, str], role: str, resource: tuple[str, str] | None = None
) -> None:
    grant = grant_pb2.Grant(
        subject=subject_pb2.Subject(type=subject[0], id=subject[1]),
        role=role,
        resource=None if resource is None else subject_pb2.Resource(type=resource[0], id=resource[1]),
        effect=decision_pb2.EFFECT_ALLOW,
    )
    request = policy_pb2.WriteGrantsRequest(tenant=tenant, changes=[grant_pb2.Change(put_grant=grant)])
    admin.stub(policy_pb2_grpc.PolicyServiceStub).WriteGrants(request)


def _key(admin: Client, tenant: str, service: str) -> tuple[str, str]:
    owner = subject_pb2.Subject(type="service", id=service)
    request = api_key_pb2.CreateApiKeyRequest(tenant=tenant, owner=owner)
    made = admin.stub(api_key_pb2_grpc.ApiKeyServiceStub).CreateApiKey(request)
    return made.api_key, made.key.id


if __name__ == "__main__":
    seeded = seed(sys.argv[1], Path(sys.argv[2]).read_text().strip())
    sys.stdout.write(
        f"export SALLYPORT_CLIENT_ADDRESS={sys.argv[1]}\n"
        f"export SALLYPORT_CLIENT_API_KEY={seeded.application_key}\n"
        f"export SALLYPORT_CLIENT_AUDIENCE={AUDIENCE}\n"
        f"export MACHINE_KEY={seeded.machine_key}\n"
    )
