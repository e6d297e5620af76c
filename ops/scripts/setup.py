"""Makes .venv hold exactly what uv.lock says, on a machine where nothing is prepared but Python.

    python3 ops/scripts/setup.py

uv is taken from the PATH, else installed with pip into .tools, else fetched by bootstrap_uv.py. The second run
compares one hash and returns. Exit code 2 with one sentence when something outside the project is missing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from bootstrap_uv import OLDEST, BootstrapError, bootstrap
from package_index import PUBLIC_INDEX, certificate_bundle, index_url, without_credentials

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
STAMP = VENV / ".synced"


def wanted() -> str:
    """What .venv must have been made from: the locked packages, this Python, this place on the disk."""
    digest = hashlib.sha256(f"{sys.version}\n{sys.base_prefix}\n{ROOT}\n".encode())
    for name in ("pyproject.toml", "uv.lock"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def writable_home() -> bool:
    """Whether caches may go where tools put them by themselves."""
    home = os.environ.get("HOME", "")
    return bool(home) and Path(home).is_dir() and os.access(home, os.W_OK | os.X_OK)


def environment() -> dict[str, str]:
    """The environment for uv and pip: no downloaded Python, this project's .venv, the machine's certificates."""
    env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    env |= {"UV_PYTHON_DOWNLOADS": "never", "UV_PROJECT_ENVIRONMENT": str(VENV), "UV_NO_PROGRESS": "1"}
    bundle = certificate_bundle()
    if bundle and not env.get("SSL_CERT_DIR"):
        # uv brings its own list of authorities; a company's proxy is only in the machine's.
        env.setdefault("SSL_CERT_FILE", bundle)
    if not writable_home():
        home = TOOLS / "home"
        home.mkdir(parents=True, exist_ok=True)
        env["HOME"] = str(home)
        for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            env.pop(name, None)
        env.setdefault("UV_CACHE_DIR", str(TOOLS / "cache"))
    return env


def uv_version(program: str, env: dict[str, str]) -> tuple[int, ...] | None:
    """The version a program called uv answers with; None when it does not run (a broken shim, another machine's)."""
    try:
        answer = subprocess.run(
            [program, "--version"], env=env, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(r"uv (\d+)\.(\d+)", answer.stdout)
    return (int(match[1]), int(match[2])) if answer.returncode == 0 and match else None


def from_pip(env: dict[str, str]) -> str | None:
    """Lets pip bring uv into .tools; None when this Python has no pip or pip cannot."""
    if subprocess.run(
        [sys.executable, "-m", "pip", "--version"], env=env, capture_output=True, check=False
    ).returncode:
        return None
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    command += ["--target", str(TOOLS / "uv"), f"uv>={OLDEST[0]}.{OLDEST[1]},<1"]
    done = subprocess.run(command, env=env, check=False, timeout=600)
    program = TOOLS / "uv" / "bin" / "uv"
    return str(program) if done.returncode == 0 and uv_version(str(program), env) else None


def find_uv(env: dict[str, str]) -> str:
    """A uv that runs and reads the lock file; raises BootstrapError when no way leads to one."""
    for program in (shutil.which("uv"), str(TOOLS / "uv" / "bin" / "uv"), str(TOOLS / "bin" / "uv")):
        if program and (version := uv_version(program, env)) and version >= OLDEST:
            return program
    print("Fetching uv …", flush=True)
    return from_pip(env) or str(bootstrap(TOOLS / "bin"))


def trust_authorities() -> None:
    """On Debian as root, installs the authorities' certificates when the machine has none; else leaves it."""
    debian = Path("/etc/debian_version").exists() and shutil.which("apt-get")
    if certificate_bundle() or os.environ.get("SSL_CERT_DIR") or not debian or os.geteuid() != 0:
        return
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "ca-certificates"]):
        subprocess.run(["apt-get", *command], env=env, check=False, timeout=600)


def packages() -> int:
    """How many packages uv.lock names."""
    return (ROOT / "uv.lock").read_text(encoding="utf-8").count("[[package]]")


def sync(uv: str, env: dict[str, str]) -> None:
    """Installs the locked packages; raises CalledProcessError when uv refuses (it has said why)."""
    index = index_url()
    mirror = "" if index == PUBLIC_INDEX else f" from {without_credentials(index)}"
    # One line for whoever wanted a demo; what uv itself has to say is said when it fails.
    print(f"Installing the {packages()} packages of uv.lock{mirror} …", flush=True)
    if index == PUBLIC_INDEX:
        for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
            env.pop(name, None)
        subprocess.run(
            [uv, "sync", "--quiet", "--locked", "--python", sys.executable],
            cwd=ROOT,
            env=env,
            check=True,
            timeout=1800,
        )
        return
    # The lock names the public index. From a mirror the same files are taken by version and hash instead.
    frozen = env | {"UV_DEFAULT_INDEX": index}
    frozen.pop("UV_INDEX_URL", None)
    with tempfile.TemporaryDirectory(dir=TOOLS) as directory:
        listing = str(Path(directory) / "requirements.txt")
        for command in (
            ["export", "--quiet", "--frozen", "--all-groups", "--no-emit-project", "--output-file", listing],
            ["venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV)],
            ["pip", "sync", "--quiet", "--python", str(VENV), "--require-hashes", listing],
            ["pip", "install", "--quiet", "--python", str(VENV), "--no-deps", "--editable", str(ROOT)],
        ):
            subprocess.run([uv, *command], cwd=ROOT, env=frozen, check=True, timeout=1800)


def main() -> int:
    """Command line: no arguments."""
    try:
        TOOLS.mkdir(exist_ok=True)
        with (TOOLS / "setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two make commands at once must not build one .venv
            if STAMP.is_file() and STAMP.read_text() == wanted():
                return 0
            STAMP.unlink(missing_ok=True)
            trust_authorities()
            env = environment()
            sync(find_uv(env), env)
            STAMP.write_text(wanted())
    except PermissionError as error:
        print(
            f"{error.filename} cannot be written: run make as the owner of this directory.", file=sys.stderr
        )
        return 2
    except BootstrapError as error:
        print(error, file=sys.stderr)
        return 2
    except subprocess.SubprocessError as error:
        print(f"The packages could not be installed ({error}); what uv said stands above.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
