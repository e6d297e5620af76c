"""Services in containers, when this machine has an engine that can start the images."""

from __future__ import annotations

import contextlib
import gc
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

# An engine that does not have the image and cannot fetch it in this time counts as no engine.
SECONDS_TO_PULL = 20.0
REAPER_IMAGE = "testcontainers/ryuk"
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Container:
    """A started container and where its port is reached from here."""

    host: str
    port: int
    ports: Mapping[int, int]
    inner: Any

    def stop(self) -> None:
        """Removes the container and its volumes."""
        with _quiet():
            self.inner.stop()

    def execute(self, *command: str) -> tuple[int, str]:
        """Exit code and output of a program run inside."""
        done = self.inner.exec(list(command))
        return int(done.exit_code), done.output.decode(errors="replace")

    def wait_for(self, question: Callable[[], Answer | None], *, seconds: float) -> Answer | None:
        """The first answer that is not None, or None when time is up."""
        deadline = time.monotonic() + seconds
        while (answer := question()) is None and time.monotonic() < deadline:
            time.sleep(0.1)
        return answer


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The libraries warn about their own old parts at import and leave connections to the collector.

    Warnings are errors in tests, so both happen in here, the collection too.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
        gc.collect()


def usable(*images: str) -> bool:
    """Whether an engine answers and has, or can fetch in time, every image. Never raises."""
    with _quiet():
        return _asked(
            lambda client: all(_present(client, image) or _pulled(client, image) for image in images)
        )


def _asked(question: Callable[[Any], bool]) -> bool:
    """The answer of an engine; False when there is none. Only within `_quiet`."""
    import docker  # noqa: PLC0415  # only a machine that needs an engine pays for the import
    import docker.errors  # noqa: PLC0415
    import requests  # noqa: PLC0415

    try:
        client = docker.from_env(timeout=5)
    except (docker.errors.DockerException, requests.RequestException):
        return False
    try:
        return question(client)
    except (docker.errors.DockerException, requests.RequestException):
        # No engine, no permission, no registry, no such image: all of them mean "not here".
        return False
    finally:
        client.close()


def _present(client: Any, image: str) -> bool:
    return any(image in each.tags for each in client.images.list())


def _pulled(client: Any, image: str) -> bool:
    deadline = time.monotonic() + SECONDS_TO_PULL
    progress: Iterable[dict[str, str]] = client.api.pull(image, stream=True, decode=True)
    for line in progress:
        if "error" in line or time.monotonic() > deadline:
            return False
    return _present(client, image)


def start(
    image: str,
    *,
    port: int,
    env: Mapping[str, str],
    more_ports: Sequence[int] = (),
    command: Sequence[str] = (),
) -> Container | None:
    """A container of `image` with its ports on free ports of this machine; None when it cannot be had."""
    with _quiet():
        return _started(image, port=port, env=env, more_ports=more_ports, command=command)


def _started(
    image: str, *, port: int, env: Mapping[str, str], more_ports: Sequence[int], command: Sequence[str]
) -> Container | None:
    if not usable(image):
        return None
    if not _asked(_has_reaper):
        # What removes the containers of killed test runs is not worth a download.
        os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
    import docker.errors  # noqa: PLC0415
    import requests  # noqa: PLC0415
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    container = DockerContainer(image).with_exposed_ports(port, *more_ports)
    for name, value in env.items():
        container = container.with_env(name, value)
    if command:
        container = container.with_command(list(command))
    try:
        container.start()
        ports = {each: int(container.get_exposed_port(each)) for each in (port, *more_ports)}
        return Container(container.get_container_host_ip(), ports[port], ports, container)
    except (docker.errors.DockerException, requests.RequestException, TimeoutError, OSError):
        with contextlib.suppress(docker.errors.DockerException, requests.RequestException):
            container.stop()  # it may have been made and then not started
        return None


def _has_reaper(client: Any) -> bool:
    return any(tag.startswith(f"{REAPER_IMAGE}:") for each in client.images.list() for tag in each.tags)
