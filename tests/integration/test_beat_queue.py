"""The last beat in RabbitMQ: one message, the newest, read without being taken (docs/never-twice.md rule 10)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pika
import pytest
from services import RabbitServer

from app.memory import BeatQueue, Memory, StateFile
from db.installation import Beat
from domain.errors import Unavailable

HISTORY = UUID(int=7)


def beat(number: int, history: UUID = HISTORY) -> Beat:
    return Beat(history, number, UUID(int=number))


@pytest.fixture
def queue(amqp_url: str) -> Iterator[BeatQueue]:
    made = BeatQueue(amqp_url)
    yield made
    made.close()


def test_only_the_newest_beat_is_kept_and_stays_when_it_is_read(queue: BeatQueue, amqp_url: str) -> None:
    assert queue.read(HISTORY) is None
    for number in range(1, 6):
        queue.write(beat(number))
    another = BeatQueue(amqp_url)
    assert [another.read(HISTORY) for _ in range(3)] == [beat(5)] * 3
    queue.write(beat(6))
    assert another.read(HISTORY) == beat(6)
    another.close()


def test_a_beat_that_another_has_in_hand_is_waited_for(
    queue: BeatQueue, amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two relays that look at once: the one that came second found nothing, and a person had to say which database counts."""
    queue.write(beat(5))
    other = pika.BlockingConnection(pika.URLParameters(amqp_url))
    method, _, _ = other.channel().basic_get(f"bridge.beat.{HISTORY}", auto_ack=False)
    assert method is not None
    slept = pika.BlockingConnection.sleep

    def given_back(looking: pika.BlockingConnection, seconds: float) -> None:
        if other.is_open:
            other.close()
        slept(looking, seconds)

    monkeypatch.setattr(pika.BlockingConnection, "sleep", given_back)
    assert queue.read(HISTORY) == beat(5)
    assert not other.is_open
    assert [queue.read(HISTORY) for _ in range(20)] == [beat(5)] * 20


def test_two_histories_on_one_broker_do_not_touch_each_other(queue: BeatQueue) -> None:
    other = uuid4()
    queue.write(beat(9))
    queue.write(beat(2, other))
    assert queue.read(HISTORY) == beat(9)
    assert queue.read(other) == beat(2, other)


def test_a_queue_that_was_purged_or_deleted_is_filled_by_the_next_beats(
    queue: BeatQueue, amqp_url: str, rabbitmq: RabbitServer
) -> None:
    vhost = urlsplit(amqp_url).path.lstrip("/")
    where = f"/api/queues/{vhost}/bridge.beat.{HISTORY}"
    queue.write(beat(1))
    rabbitmq.management("DELETE", f"{where}/contents")
    assert queue.read(HISTORY) is None
    queue.write(beat(2))
    assert queue.read(HISTORY) == beat(2)
    rabbitmq.management("DELETE", where)
    with pytest.raises(Unavailable):
        queue.write(beat(3))
    queue.write(beat(4))
    assert queue.read(HISTORY) == beat(4)


def test_the_newest_of_all_memories_counts(queue: BeatQueue, amqp_url: str, tmp_path: Path) -> None:
    file = StateFile(tmp_path / "beat.json", "here")
    memory = Memory(file, queue)
    memory.remember(beat(5))
    file.write(beat(3))
    assert Memory(file, queue).recall(HISTORY) == beat(5)
    file.write(beat(8))
    assert Memory(file, queue).recall(HISTORY) == beat(8)
    file.path.unlink()
    assert Memory(file, BeatQueue(amqp_url)).recall(HISTORY) == beat(5)


def test_a_broker_that_does_not_answer_is_said_and_stops_nothing(tmp_path: Path) -> None:
    memory = Memory(StateFile(tmp_path / "beat.json", "here"), BeatQueue("amqp://guest:guest@127.0.0.1:1/"))
    memory.remember(beat(5))
    assert list(memory.trouble) == ["queue"]
    assert memory.recall(HISTORY) == beat(5)
    memory.close()
