"""Settings from code and environment."""

from pathlib import Path

import pytest

from sallyport import Settings, SettingsError
from sallyport.channel_options import target_of

KEY = "sk_live_" + "a" * 65


def settings(address: str, **more: str) -> Settings:
    return Settings.from_env({"SALLYPORT_CLIENT_ADDRESS": address, "SALLYPORT_CLIENT_API_KEY": KEY, **more})


@pytest.mark.parametrize(
    ("address", "target", "uses_tls"),
    [
        ("127.0.0.1:50051", "dns:///127.0.0.1:50051", False),
        ("localhost:50051", "dns:///localhost:50051", False),
        ("[::1]:50051", "dns:///[::1]:50051", False),
        ("127.0.0.1:1, 127.0.0.2:2", "ipv4:127.0.0.1:1,127.0.0.2:2", False),
        ("[::1]:1,[2001:db8::7]:2", "ipv6:[::1]:1,[2001:db8::7]:2", True),
        ("10.0.0.5:50051,10.0.0.6:50051", "ipv4:10.0.0.5:50051,10.0.0.6:50051", True),
        ("sallyport.internal:443", "dns:///sallyport.internal:443", True),
        ("dns:///sallyport.internal:443", "dns:///sallyport.internal:443", True),
        ("localhost.example.com:50051", "dns:///localhost.example.com:50051", True),
    ],
)
def test_an_address_is_dialled_with_tls_unless_it_is_this_machine(address: str, target: str, uses_tls: bool) -> None:
    given = settings(address)
    assert target_of(given) == target
    assert given.uses_tls is uses_tls


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"SALLYPORT_CLIENT_ADDRESS": ""}, "SALLYPORT_CLIENT_ADDRESS"),
        ({"SALLYPORT_CLIENT_ADDRESS": "127.0.0.1"}, "SALLYPORT_CLIENT_ADDRESS"),
        ({"SALLYPORT_CLIENT_ADDRESS": "127.0.0.1:70000"}, "SALLYPORT_CLIENT_ADDRESS"),
        ({"SALLYPORT_CLIENT_ADDRESS": "::1:50051"}, "SALLYPORT_CLIENT_ADDRESS"),
        ({"SALLYPORT_CLIENT_ADDRESS": "http://127.0.0.1:8080"}, "SALLYPORT_CLIENT_ADDRESS"),
        ({"SALLYPORT_CLIENT_ADDRESS": "a.example:1,b.example:1"}, "SALLYPORT_CLIENT_ADDRESS"),
        ({"SALLYPORT_CLIENT_ADDRESS": "127.0.0.1:1,[::1]:1"}, "SALLYPORT_CLIENT_ADDRESS"),
        ({}, "SALLYPORT_CLIENT_API_KEY"),
        ({"SALLYPORT_CLIENT_API_KEY": "secret"}, "SALLYPORT_CLIENT_API_KEY"),
        ({"SALLYPORT_CLIENT_API_KEY_FILE": "/nowhere"}, "SALLYPORT_CLIENT_API_KEY_FILE"),
        ({"SALLYPORT_CLIENT_TENANT": "Acme"}, "SALLYPORT_CLIENT_TENANT"),
        ({"SALLYPORT_CLIENT_ALLOW_PLAINTEXT": "yes"}, "SALLYPORT_CLIENT_ALLOW_PLAINTEXT"),
        ({"SALLYPORT_CLIENT_CA_FILE": "/nowhere"}, "SALLYPORT_CLIENT_CA_FILE"),
        ({"SALLYPORT_CLIENT_CERT_FILE": __file__}, "SALLYPORT_CLIENT_KEY_FILE"),
        ({"SALLYPORT_CLIENT_KEY_FILE": __file__}, "SALLYPORT_CLIENT_CERT_FILE"),
        ({"SALLYPORT_CLIENT_TIMEOUT_MS": "3 s"}, "SALLYPORT_CLIENT_TIMEOUT_MS"),
        ({"SALLYPORT_CLIENT_LOGIN_TIMEOUT_MS": "50"}, "SALLYPORT_CLIENT_LOGIN_TIMEOUT_MS"),
        ({"SALLYPORT_CLIENT_ORIGINS": "https://shop.example.com/"}, "SALLYPORT_CLIENT_ORIGINS"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(environ: dict[str, str], variable: str) -> None:
    given = environ if variable.startswith("SALLYPORT_CLIENT_API_KEY") else {"SALLYPORT_CLIENT_API_KEY": KEY, **environ}
    with pytest.raises(SettingsError, match=f"^{variable} "):
        Settings.from_env({"SALLYPORT_CLIENT_ADDRESS": "127.0.0.1:1", **given})


def test_plaintext_to_another_machine_must_be_asked_for() -> None:
    assert settings("10.0.0.5:50051").uses_tls
    assert not settings("10.0.0.5:50051", SALLYPORT_CLIENT_ALLOW_PLAINTEXT="true").uses_tls


def test_the_key_is_in_no_repr() -> None:
    assert KEY not in repr(settings("127.0.0.1:1"))


def test_optional_settings_are_read_and_empty_ones_are_not_set(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    given = Settings.from_env(
        {
            "SALLYPORT_CLIENT_ADDRESS": "127.0.0.1:50051",
            "SALLYPORT_CLIENT_API_KEY_FILE": str(file),
            "SALLYPORT_CLIENT_TENANT": "",
            "SALLYPORT_CLIENT_TIMEOUT_MS": "1500",
            "SALLYPORT_CLIENT_ORIGINS": "https://a.example.com, https://b.example.com:8443",
        }
    )
    assert (given.api_key, given.tenant, given.timeout) == (KEY, "default", 1.5)
    assert given.origins == ("https://a.example.com", "https://b.example.com:8443")
