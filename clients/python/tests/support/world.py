"""Who is who in the tests: users, keys and rights, made with the client's own stubs."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pyotp

from sallyport import Client, Settings
from sallyport.v1 import (
    api_key_pb2,
    api_key_pb2_grpc,
    authentication_pb2,
    authentication_pb2_grpc,
    decision_pb2,
    grant_pb2,
    policy_pb2,
    policy_pb2_grpc,
    subject_pb2,
    tenant_pb2,
    tenant_pb2_grpc,
    user_pb2,
    user_pb2_grpc,
)
from tests.support.service import Service

PASSWORD = "Correct-Horse-42-Battery"
AUDIENCE = "reports"
ROLES = {"viewer": ["reports:read"], "admin": ["reports:*", "users:*"]}


@dataclass(frozen=True)
class World:
    """`admin` may everything in tenant `default`, `viewer` reads reports, `careful` has a second factor and reads reports."""

    address: str
    admin_key: str
    app_key: str
    """Of the application: roles application and voucher on the tenants `default` and `acme`."""
    users: dict[str, str]
    """Name to id; a user logs in as `<name>@example.com`."""
    totp_secret: str
    """Of `careful`."""

    def client(self, **settings: str | float) -> Client:
        """A client with the application's key."""
        chosen = {"address": self.address, "api_key": self.app_key, **settings}
        return Client(Settings(**chosen))  # type: ignore[arg-type]

    def admin(self, tenant: str = "default") -> Client:
        return Client(Settings(address=self.address, api_key=self.admin_key, tenant=tenant))


def make_world(service: Service) -> World:
    with Client(Settings(address=service.grpc, api_key=service.admin_key)) as client:
        client.stub(tenant_pb2_grpc.TenantServiceStub).CreateTenant(tenant_pb2.CreateTenantRequest(tenant="acme"))
        users = {name: make_user(client, name) for name in ("admin", "viewer", "careful")}
        make_user(client, "stranger", "acme")
        secret = enroll(client, users["careful"])
        roles = [policy_pb2.Role(name=name, permissions=permissions) for name, permissions in ROLES.items()]
        policies = client.stub(policy_pb2_grpc.PolicyServiceStub)
        policies.ApplyPolicy(policy_pb2.ApplyPolicyRequest(policy=policy_pb2.Policy(roles=roles)))
        write_grants(client, "", [_grant("user", users["admin"], "admin")])
        write_grants(client, "", [_grant("user", users[name], "viewer") for name in ("viewer", "careful")])
        write_grants(client, "", [_grant("service", "nightly", "viewer")])
        app_key = make_app_key(client)
    return World(service.grpc, service.admin_key, app_key, users, secret)


def make_user(client: Client, name: str, tenant: str = "") -> str:
    identifier = user_pb2.Identifier(kind=user_pb2.IDENTIFIER_KIND_EMAIL, value=f"{name}@example.com")
    request = user_pb2.CreateUserRequest(tenant=tenant, identifiers=[identifier], password=PASSWORD)
    return client.stub(user_pb2_grpc.UserServiceStub).CreateUser(request, timeout=15).user.id


def enroll(client: Client, user_id: str) -> str:
    """Returns the secret of the app."""
    stub = client.stub(authentication_pb2_grpc.AuthenticationServiceStub)
    enrollment = stub.EnrollTotp(authentication_pb2.EnrollTotpRequest(user_id=user_id)).enrollment
    code = pyotp.TOTP(enrollment.secret).now()
    confirmed = stub.ConfirmTotp(authentication_pb2.ConfirmTotpRequest(user_id=user_id, totp_code=code))
    assert confirmed.WhichOneof("outcome") == "confirmation"
    return enrollment.secret


def next_code(secret: str) -> str:
    """The code of the next step, which is accepted early: that of now may have been used."""
    totp = pyotp.TOTP(secret)
    return totp.at(datetime.now(timezone.utc) + timedelta(seconds=totp.interval))


def make_api_key(client: Client, owner: tuple[str, str], tenant: str = "") -> tuple[str, str]:
    """Its text and its id."""
    stub = client.stub(api_key_pb2_grpc.ApiKeyServiceStub)
    subject = subject_pb2.Subject(type=owner[0], id=owner[1])
    made = stub.CreateApiKey(api_key_pb2.CreateApiKeyRequest(tenant=tenant, owner=subject))
    return made.api_key, made.key.id


def make_app_key(client: Client) -> str:
    key, _ = make_api_key(client, ("service", "app"), "sallyport")
    tenants = [subject_pb2.Resource(type="tenant", id=name) for name in ("default", "acme")]
    grants = [_grant("service", "app", role, tenant) for role in ("application", "voucher") for tenant in tenants]
    write_grants(client, "sallyport", grants)
    return key


def write_grants(client: Client, tenant: str, grants: list[grant_pb2.Grant]) -> str:
    """Returns the revision."""
    changes = [grant_pb2.Change(put_grant=grant) for grant in grants]
    request = policy_pb2.WriteGrantsRequest(tenant=tenant, changes=changes)
    return client.stub(policy_pb2_grpc.PolicyServiceStub).WriteGrants(request).revision


def _grant(kind: str, subject_id: str, role: str, resource: subject_pb2.Resource | None = None) -> grant_pb2.Grant:
    subject = subject_pb2.Subject(type=kind, id=subject_id)
    return grant_pb2.Grant(subject=subject, role=role, resource=resource, effect=decision_pb2.EFFECT_ALLOW)
