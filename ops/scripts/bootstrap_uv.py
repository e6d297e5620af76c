"""Brings uv to a machine that has Python and nothing else: no pip, no venv, no curl.

    python3 ops/scripts/bootstrap_uv.py DIRECTORY

Reads the package index (PEP 503 HTML or PEP 691 JSON), picks the newest final release whose wheel fits this
machine, checks its SHA-256 against the index and leaves DIRECTORY/uv. Exit code 2 with one sentence when it cannot.
"""

from __future__ import annotations

import hashlib
import html.parser
import io
import json
import os
import platform
import re
import ssl
import sys
import urllib.parse
import zipfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from package_index import fetch, index_url, without_credentials

# Oldest uv known to read the lock file; below the next major version, whose lock format is not known yet.
OLDEST = (0, 8)
BELOW = (1, 0)
WHEEL = re.compile(r"^uv-(?P<version>\d+(\.\d+)*)-py3-none-(?P<platforms>[\w.]+)\.whl$")


class BootstrapError(Exception):
    """uv cannot be brought to this machine; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Wheel:
    """One file of the index: its address, digest and version."""

    url: str
    sha256: str
    version: tuple[int, ...]


class _Links(html.parser.HTMLParser):
    """The anchors of a PEP 503 page that are not yanked."""

    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "a" and found.get("href") and "data-yanked" not in found:
            self.hrefs.append(found["href"] or "")


def fits(platform_tag: str, *, system: str, machine: str, libc: tuple[str, tuple[int, ...]]) -> bool:
    """Whether a wheel's platform tag runs here; `libc` is ("glibc", (2, 36)) or ("musl", ())."""
    if system == "Darwin":
        return platform_tag.startswith("macosx_") and platform_tag.endswith((f"_{machine}", "_universal2"))
    if system != "Linux" or not platform_tag.endswith(f"_{machine}"):
        return False
    name, version = libc
    if name == "glibc":
        tag = re.match(r"manylinux_(\d+)_(\d+)_", platform_tag)
        return tag is not None and (int(tag[1]), int(tag[2])) <= version
    return platform_tag.startswith("musllinux_")


def this_machine() -> tuple[str, str, tuple[str, tuple[int, ...]]]:
    """System, machine and C library of the running Python, as `fits` wants them."""
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if sys.maxsize < 2**32:  # a 32-bit Python on a 64-bit kernel
        machine = {"x86_64": "i686", "aarch64": "armv7l"}.get(machine, machine)
    name, version = platform.libc_ver()
    libc = ("glibc", tuple(int(part) for part in version.split(".")[:2])) if name == "glibc" else ("musl", ())
    return platform.system(), machine, libc


def listed(body: bytes, content_type: str, base: str) -> list[Wheel]:
    """The files of one project page that carry a SHA-256 and are wheels of uv."""
    files: list[tuple[str, str]]
    if content_type.endswith("json"):
        files = [
            (urllib.parse.urljoin(base, entry["url"]), entry.get("hashes", {}).get("sha256", ""))
            for entry in json.loads(body)["files"]
            if not entry.get("yanked")
        ]
    else:
        page = _Links()
        page.feed(body.decode("utf-8", "replace"))
        split = [urllib.parse.urldefrag(urllib.parse.urljoin(base, href)) for href in page.hrefs]
        files = [
            (url, digest.removeprefix("sha256=")) for url, digest in split if digest.startswith("sha256=")
        ]
    wheels = []
    for url, digest in files:
        match = WHEEL.match(urllib.parse.unquote(urllib.parse.urlsplit(url).path.rsplit("/", 1)[-1]))
        if match and digest and any(fits_here(tag) for tag in match["platforms"].split(".")):
            wheels.append(Wheel(url, digest, tuple(int(part) for part in match["version"].split("."))))
    return wheels


def fits_here(platform_tag: str) -> bool:
    """`fits` for the running Python."""
    system, machine, libc = this_machine()
    return fits(platform_tag, system=system, machine=machine, libc=libc)


def _get(url: str, what: str, *, accept: str = "*/*") -> tuple[bytes, str, str]:
    last: OSError | None = None
    for _ in range(3):
        try:
            return fetch(url, accept=accept)
        except OSError as error:
            last = error
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise BootstrapError(
                    f"{what} has a certificate that this machine does not trust: install the package "
                    "ca-certificates, or name your authority's file in SSL_CERT_FILE."
                ) from error
    raise BootstrapError(
        f"{what} cannot be read ({last}): check the network, HTTPS_PROXY and PIP_INDEX_URL, "
        "or put uv on the PATH yourself."
    )


def bootstrap(directory: Path) -> Path:
    """Leaves an executable uv in `directory` and returns its path; raises BootstrapError."""
    index = index_url()
    page = f"{index}/uv/" + ("index.html" if index.startswith("file:") else "")
    accept = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.5, text/html;q=0.1"
    body, content_type, base = _get(page, f"The package index {without_credentials(index)}", accept=accept)
    if "@" in urllib.parse.urlsplit(index).netloc:
        base = page  # relative links of an index with credentials need them too
    wheels = [wheel for wheel in listed(body, content_type, base) if OLDEST <= wheel.version < BELOW]
    if not wheels:
        raise BootstrapError(
            f"The package index {without_credentials(index)} lists no uv for this machine "
            f"({platform.system()} {platform.machine()}): put uv on the PATH yourself."
        )
    newest = max(wheels, key=lambda wheel: wheel.version)
    content, _, _ = _get(newest.url, f"The package uv from {without_credentials(newest.url)}")
    if hashlib.sha256(content).hexdigest() != newest.sha256:
        raise BootstrapError("The package uv arrived damaged: its SHA-256 is not the one the index states.")
    directory.mkdir(parents=True, exist_ok=True)
    target, unfinished = directory / "uv", directory / f".uv-{os.getpid()}"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (member,) = (name for name in archive.namelist() if re.fullmatch(r"uv-[^/]+\.data/scripts/uv", name))
        unfinished.write_bytes(archive.read(member))
    unfinished.chmod(0o755)
    unfinished.replace(target)  # never a half-written program under the name that is looked for
    return target


def main() -> int:
    """Command line: the directory for the program."""
    try:
        print(bootstrap(Path(sys.argv[1])))
    except BootstrapError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
