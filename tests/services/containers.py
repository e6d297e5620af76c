"""Services in containers, when this machine has an engine that can start the images."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
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


def usable(*images: str) -> bool:
    """Whether an engine answers and has, or can fetch in time, every image. Never raises."""
    with warnings.catch_warnings():
        # The libraries warn about their own old parts while they are imported; warnings are errors in tests.
        warnings.simplefilter("ignore")
        import docker  # noqa: PLC0415  # only a machine with an engine pays for the import
        import docker.errors  # noqa: PLC0415
        import requests  # noqa: PLC0415
    try:
        client = docker.from_env(timeout=5)
    except (docker.errors.DockerException, requests.RequestException):
        return False
    try:
        client.ping()
        return all(_present(client, image) or _pulled(client, image) for image in images)
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
    if not usable(image):
        return None
    if not usable_reaper():
        os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
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
        return None


def usable_reaper() -> bool:
    """Whether the image that removes containers of killed test runs is here; it is not worth a download."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import docker  # noqa: PLC0415
        import docker.errors  # noqa: PLC0415
        import requests  # noqa: PLC0415
    try:
        client = docker.from_env(timeout=5)
    except (docker.errors.DockerException, requests.RequestException):
        return False
    try:
        return any(tag.startswith(REAPER_IMAGE + ":") for each in client.images.list() for tag in each.tags)
    except (docker.errors.DockerException, requests.RequestException):
        return False
    finally:
        client.close()
