"""How the channel behaves: what docs/clients.md advises, in one place for the blocking and the asyncio client."""

import json
from pathlib import Path

import grpc

from sallyport.settings import Settings

# Repeating these changes nothing that the first attempt did not: reads, judgements, ends of sessions, and writes that know a repeat by
# their one-time token or `request_id`, which the client fills in. A login is not among them: it costs an attempt.
REPEATED: dict[str, tuple[str, ...]] = {
    "ApiKeyService": ("VerifyApiKey", "GetApiKey", "ListApiKeys", "RevokeApiKey"),
    "AuditService": ("ListEvents",),
    "AuthenticationService": ("CheckPassword",),
    "AuthorizationService": ("Authorize", "BatchAuthorize", "ListPermissions", "ListResources", "ListSubjects"),
    "PolicyService": ("GetPolicy", "ListPolicyVersions", "ListGrants", "WriteGrants"),
    "ProviderService": ("GetProvider", "ListProviders"),
    "SessionService": ("CreateSession", "VerifySession", "ListSessions", "RevokeSessions"),
    "TenantService": ("GetTenant", "ListTenants"),
    "TokenService": ("IssueTokens", "RotateRefresh", "VerifyToken", "GetJwks", "ListSigningKeys", "RevokeSigningKey"),
    "UserService": ("CreateUser", "GetUser", "ListUsers"),
}

_RETRIES = {
    "maxAttempts": 3,
    "initialBackoff": "0.05s",
    "maxBackoff": "1s",
    "backoffMultiplier": 4,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


def service_config() -> str:
    """gRPC service config: every replica in turn, only those that say they serve, and repeats where a repeat is harmless."""
    names = [
        {"service": f"sallyport.v1.{service}", "method": method}
        for service, methods in REPEATED.items()
        for method in methods
    ]
    return json.dumps(
        {
            "loadBalancingConfig": [{"round_robin": {}}],
            "healthCheckConfig": {"serviceName": ""},
            "methodConfig": [{"name": names, "retryPolicy": _RETRIES}],
        }
    )


def channel_options(settings: Settings) -> list[tuple[str, str | int]]:
    """Options of the channel; times in ms."""
    options: list[tuple[str, str | int]] = [
        ("grpc.service_config", service_config()),
        # What DNS says about retries is not ours to follow.
        ("grpc.service_config_disable_resolution", 1),
        # A replica that went away without a word is noticed after 40 s at the latest, also between calls. The server pings every 60 s.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        # The C core waits this long for a ping that is under way, whatever the timeout above says; by itself a minute.
        ("grpc.http2.ping_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # gRPC by itself waits up to two minutes before it tries a server again that had been away for long.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        # How long an attempt to connect may take; gRPC's 20 s are for the open internet.
        ("grpc.min_reconnect_backoff_ms", 5_000),
        # New replicas behind a name are found this soon after one was lost.
        ("grpc.dns_min_time_between_resolutions_ms", 2_000),
        # Sallyport is inside the network: keys are not shown to a proxy that some variable of the environment names.
        ("grpc.enable_http_proxy", 0),
        # Exports come in messages larger than requests may be.
        ("grpc.max_receive_message_length", 64 << 20),
    ]
    if settings.server_name:
        options.append(("grpc.ssl_target_name_override", settings.server_name))
    return options


def target_of(settings: Settings) -> str:
    """The address as gRPC writes it (https://github.com/grpc/grpc/blob/master/doc/naming.md)."""
    endpoints = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in settings.endpoints]
    if len(endpoints) == 1:
        return f"dns:///{endpoints[0]}"
    return ("ipv6:" if endpoints[0].startswith("[") else "ipv4:") + ",".join(endpoints)


def tls_of(settings: Settings) -> grpc.ChannelCredentials | None:
    """None: plaintext. Raises OSError when a file cannot be read."""
    if not settings.uses_tls:
        return None
    ca, chain, key = (
        Path(file).read_bytes() if file else None for file in (settings.ca_file, settings.cert_file, settings.key_file)
    )
    return grpc.ssl_channel_credentials(root_certificates=ca, private_key=key, certificate_chain=chain)
