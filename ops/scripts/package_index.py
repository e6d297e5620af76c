"""Where Python packages come from on this machine, told with the standard library alone.

Reads what the ordinary clients read: environment variables first, then pip's configuration files, then
the public index. Used before any package is installed, so nothing here may import one.
"""

from __future__ import annotations

import base64
import configparser
import os
import ssl
import urllib.parse
import urllib.request
from pathlib import Path

PUBLIC_INDEX = "https://pypi.org/simple"

# Bundles of certificate authorities that the machine's owner maintains, where distributions keep them.
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS
)


def _pip_files() -> list[Path]:
    """pip's configuration files, the one that wins first."""
    named = os.environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    home = Path(os.environ.get("HOME") or "/nonexistent")
    config_home = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [config_home / "pip" / "pip.conf", home / ".pip" / "pip.conf", Path("/etc/pip.conf")]
    return [Path(named), *files] if named else files


def pip_setting(name: str) -> str | None:
    """One value of pip's configuration (`index-url`, `cert`, …), or None; unreadable files are passed over."""
    for file in _pip_files():
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (OSError, configparser.Error, UnicodeDecodeError):
            continue
        for section in ("install", "global"):
            if parser.has_option(section, name):
                return parser.get(section, name).strip()
    return None


def index_url() -> str:
    """The package index this machine is told to use, without a slash at the end."""
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        value = os.environ.get(variable, "").strip()
        if value:
            # uv allows "name=https://…"; only the address matters here.
            name, _, address = value.partition("=")
            return (address if address and "://" not in name else value).rstrip("/")
    return (pip_setting("index-url") or PUBLIC_INDEX).rstrip("/")


def certificate_bundle() -> str | None:
    """A file of certificate authorities: what the environment names, else the machine's own, else None."""
    for variable in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        value = os.environ.get(variable)
        if value and Path(value).is_file():
            return value
    for file in (pip_setting("cert"), *SYSTEM_BUNDLES):
        if file and Path(file).is_file():
            return file
    return None


def without_credentials(url: str) -> str:
    """The address as it may be printed."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def fetch(url: str, *, accept: str = "*/*", timeout: float = 60.0) -> tuple[bytes, str, str]:
    """Body, content type and final address of a GET; proxies come from the environment.

    Raises OSError (urllib.error.URLError and ssl.SSLError are OSErrors) when there is no answer or a refusal.
    """
    parts = urllib.parse.urlsplit(url)
    request = urllib.request.Request(without_credentials(url), headers={"Accept": accept})
    if parts.username and parts.scheme in ("http", "https"):
        # urllib does not take "user:password@" from an address; index addresses often carry a token there.
        pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    context = ssl.create_default_context(cafile=certificate_bundle())
    with urllib.request.urlopen(request, timeout=timeout, context=context) as answer:
        return answer.read(), answer.headers.get_content_type(), answer.url
