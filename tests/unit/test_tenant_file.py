"""A tenant's file as a person's editor writes it, and the addresses in it that a secret may be sent to."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from app.service import load_tenant_file
from db.secrets import read_key_file
from domain.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
FILE = (ROOT / "docs" / "tenant.example.toml").read_text(encoding="utf-8")


def written(tmp_path: Path, content: bytes, name: str = "a.toml") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    marked = codecs.BOM_UTF8 + FILE.encode()
    assert load_tenant_file(written(tmp_path, marked)) == load_tenant_file(written(tmp_path, FILE.encode()))
    assert read_key_file(written(tmp_path, codecs.BOM_UTF8 + b"a\r\nb\r\n", "keys"), create=False) == [
        "a",
        "b",
    ]


@pytest.mark.parametrize("spelt", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_named_and_so_is_what_to_do(spelt: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.toml is UTF-16.*: save it as UTF-8\.$"):
        load_tenant_file(written(tmp_path, FILE.encode(spelt)))
    with pytest.raises(InputError, match=r"keys is UTF-16.*: save it as UTF-8\.$"):
        read_key_file(written(tmp_path, "a\nb\n".encode(spelt), "keys"), create=False)


def test_another_encoding_is_told_with_the_line_that_shows_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not UTF-8 \(line 2\): save it as UTF-8"):
        load_tenant_file(written(tmp_path, '# a\nname = "Åsa"'.encode("latin-1")))


KEYS = ("severa.base_url", "visma_net.base_url", "visma_net.auth_url")


def with_address(tmp_path: Path, key: str, address: str) -> Path:
    section, _, name = key.partition(".")
    head, rest = FILE.split(f"[{section}]\n", 1)
    lines = rest.split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith(f"{name} = "))
    lines[at] = f'{name} = "{address}"'
    return written(tmp_path, f"{head}[{section}]\n{chr(10).join(lines)}".encode())


@pytest.mark.req("R-OPS-2")
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "address",
    [
        "http://api.severa.visma.com/rest-api",
        "http://8.8.8.8",
        "http://[2001:4860:4860::8888]:8080",
        "http://134744072",
        "http://0x08080808",
        "http://localhost.example.com",
    ],
)
def test_no_secret_goes_readable_to_a_public_host(key: str, address: str, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=f"'{key}' in the tenant file cannot be used: must begin with https://"
    ):
        load_tenant_file(with_address(tmp_path, key, address))
    load_tenant_file(with_address(tmp_path, key, address.replace("http://", "https://")))


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9101/rest-api",
        "http://localhost:9102",
        "http://LOCALHOST.",
        "http://[::1]:9102",
        "http://[fd00::1]",
        "http://10.0.0.7",
        "http://192.168.1.7:8080/x",
        "http://simulators:9101/rest-api",
        "http://erp.home.arpa",
        "http://bridge.internal",
    ],
)
def test_this_machine_and_a_private_network_may_be_asked_without_tls(
    key: str, address: str, tmp_path: Path
) -> None:
    load_tenant_file(with_address(tmp_path, key, address))


@pytest.mark.parametrize(
    "address",
    [
        "api.severa.visma.com",
        "ftp://a.example",
        "https://",
        "https://?x",
        "https://a.example:99999",
        "https://a.example:0",
        "https://[::1",
        "https://a.example/x?y=1",
        "https://a.example/#x",
        "https://me:word@a.example",
        "http://localhost\\\\@a.example",
    ],
)
def test_what_no_path_can_follow_is_no_address(address: str, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"'severa\.base_url' in the tenant file cannot be used: must be an address"
    ):
        load_tenant_file(with_address(tmp_path, "severa.base_url", address))
