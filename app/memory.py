"""What processes remember of the database's last beat, where no restore of the database reaches.

Three memories, the newest counts: this process's own, a state file outside the data directory, and a queue of one message
on RabbitMQ. A memory that cannot be written or read is no reason to stop, but is said: when nobody remembers the last
beat at the next start of PostgreSQL, nothing is transferred until a person has said which database counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pika
import pika.exceptions
import structlog

from actors.broker import with_timeouts
from actors.publisher import ConfirmingPublisher, Outgoing
from app.settings import Settings
from db.installation import Beat
from domain.errors import Unavailable

logger = structlog.get_logger("memory")

T = TypeVar("T")

_PUBLISH_SECONDS = 5.0
# So often, and so far apart, a queue without a message is looked at.
_LOOKS, _LOOK_SECONDS = 10, 0.2
_ARGUMENTS: Mapping[str, str | int] = {"x-max-length": 1, "x-overflow": "drop-head"}


class StateFile:
    """The last beat in a file; one that was copied along with another place is not believed."""

    def __init__(self, path: Path, place: str) -> None:
        self.path = path
        self._place = place

    def write(self, beat: Beat) -> None:
        """On the disk when it returns: it may not fall behind PostgreSQL in a power cut. Raises OSError.

        A relay that was paused between its beat and this moment takes nothing back of what another has written since.
        """
        newest = self.read()
        if newest is not None and newest.history == beat.history and newest.number > beat.number:
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # In place: a new file with the old one's name could come back empty or old.
        text = json.dumps({**_plain(beat), "place": self._place}) + "\n"
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            os.pwrite(handle, text.encode(), 0)
            os.ftruncate(handle, len(text.encode()))
            os.fsync(handle)
        finally:
            os.close(handle)

    def check(self) -> None:
        """Could a beat be written? Raises OSError."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))

    def read(self) -> Beat | None:
        """None: there is none, or it is another place's or cut. Raises OSError."""
        try:
            found = json.loads(self.path.read_bytes())
            return _beat(found) if found["place"] == self._place else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None


class BeatQueue:
    """The last beat as the only message of a queue of this history's own."""

    def __init__(self, url: str) -> None:
        self._url = with_timeouts(url)
        self._publisher = ConfirmingPublisher(self._url, "")
        self._declared: UUID | None = None

    def write(self, beat: Beat) -> None:
        """Raises Unavailable."""
        if self._declared != beat.history:
            self._with_channel(lambda channel: _declare(channel, beat.history))
            self._declared = beat.history
        body = json.dumps(_plain(beat)).encode()
        [taken] = self._publisher.publish([Outgoing(_queue(beat.history), body)], timeout=_PUBLISH_SECONDS)
        if not taken:
            self._declared = None
            raise Unavailable("RabbitMQ did not take the beat")

    def read(self, history: UUID) -> Beat | None:
        """Looks at the message and leaves it where it is. Raises Unavailable.

        Whoever looks has it in hand for a moment, and an empty queue would mean that nobody remembers: it is looked at a few
        times, and given back before anybody can look again.
        """

        def look(channel: Any) -> Beat | None:
            _declare(channel, history)
            for _ in range(_LOOKS):
                method, _properties, body = channel.basic_get(_queue(history), auto_ack=False)
                if method is not None:
                    channel.basic_reject(method.delivery_tag, requeue=True)
                    # Answered only when it is back; closing the channel gives it back some time later.
                    channel.queue_declare(_queue(history), passive=True)
                    return _beat(json.loads(body))
                channel.connection.sleep(_LOOK_SECONDS)
            return None

        try:
            return self._with_channel(look)
        except (ValueError, KeyError, TypeError):
            return None

    def check(self) -> None:
        """Does RabbitMQ answer? Raises Unavailable."""
        self._with_channel(lambda _channel: None)

    def close(self) -> None:
        """Closes the connection to RabbitMQ."""
        self._publisher.close()

    def _with_channel(self, work: Callable[[Any], T]) -> T:
        try:
            connection = pika.BlockingConnection(pika.URLParameters(self._url))
            try:
                return work(connection.channel())
            finally:
                connection.close()
        except (pika.exceptions.AMQPError, OSError) as error:
            raise Unavailable(f"RabbitMQ does not answer: {error or type(error).__name__}") from error


class Memory:
    """All memories of one process. ``trouble``: which of them fail at present, in words, by name."""

    def __init__(self, file: StateFile, queue: BeatQueue | None) -> None:
        self._own: Beat | None = None
        self._file = file
        self._queue = queue
        self.trouble: dict[str, str] = {}

    def remember(self, beat: Beat) -> None:
        """Everywhere; what fails is logged when it begins and when it is over."""
        self._own = beat
        self._try("state file", lambda: self._file.write(beat))
        if self._queue is not None:
            queue = self._queue
            self._try("queue", lambda: queue.write(beat))

    def recall(self, history: UUID) -> Beat | None:
        """The newest beat of this history that anybody remembers."""
        found = [self._own, self._try("state file", self._file.read)]
        if self._queue is not None:
            queue = self._queue
            found.append(self._try("queue", lambda: queue.read(history)))
        ours = [beat for beat in found if beat is not None and beat.history == history]
        return max(ours, key=lambda beat: beat.number, default=None)

    @property
    def sure(self) -> bool:
        """Whether RabbitMQ could be asked, where it remembers: an answer that did not come is not 'nothing'."""
        return self._queue is None or "queue" not in self.trouble

    def check(self) -> dict[str, str]:
        """What fails at present, asked without changing anything that is remembered."""
        self._try("state file", self._file.check)
        if self._queue is not None:
            self._try("queue", self._queue.check)
        return dict(self.trouble)

    def another_here(self, history: UUID) -> bool:
        """Another history was kept at this place: the database was exchanged for one that never beat."""
        kept = self._try("state file", self._file.read)
        return kept is not None and kept.history != history

    def close(self) -> None:
        """Closes what has a connection."""
        if self._queue is not None:
            self._queue.close()

    def _try(self, name: str, work: Callable[[], T]) -> T | None:
        try:
            found = work()
        except (OSError, Unavailable) as error:
            said = (
                f"{self._file.path}: {error.strerror or error}"
                if isinstance(error, OSError)
                else error.message
            )
            if name not in self.trouble:
                logger.warning("beat_not_remembered", where=name, error=said)
            self.trouble[name] = said
            return None
        if self.trouble.pop(name, None) is not None:
            logger.warning("beat_remembered_again", where=name)
        return found


def memory(settings: Settings) -> Memory:
    """The memories that this installation has."""
    url = settings.amqp_url
    queue = BeatQueue(url.get_secret_value()) if url else None
    return Memory(StateFile(settings.state, settings.place), queue)


def _queue(history: UUID) -> str:
    return f"bridge.beat.{history}"


def _declare(channel: Any, history: UUID) -> None:
    channel.queue_declare(_queue(history), durable=True, arguments=dict(_ARGUMENTS))


def _plain(beat: Beat) -> dict[str, str | int]:
    return {"history": str(beat.history), "number": beat.number, "random": str(beat.random)}


def _beat(found: Mapping[str, Any]) -> Beat:
    return Beat(UUID(str(found["history"])), int(found["number"]), UUID(str(found["random"])))
