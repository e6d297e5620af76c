"""Our broker and publisher on a real RabbitMQ: the guard of what leans on parts that are private to Dramatiq."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

import dramatiq
import pika
import pytest
from services import RabbitServer
from stage import wait_for

from actors import topology
from actors.broker import EventBroker, with_timeouts
from actors.publisher import ConfirmingPublisher, Outgoing


def declared(url: str, *, quorum: bool = False) -> EventBroker:
    """A broker with the bridge's exchange and queues."""
    made = EventBroker(with_timeouts(url), quorum=quorum)
    topology.declare(made)
    return made


@pytest.fixture
def broker(amqp_url: str) -> Iterator[EventBroker]:
    made = declared(amqp_url)
    yield made
    made.close()


@pytest.fixture
def publisher(amqp_url: str, broker: EventBroker) -> Iterator[ConfirmingPublisher]:
    """Publishes to the bridge's exchange, whose queues exist."""
    made = ConfirmingPublisher(with_timeouts(amqp_url), topology.EXCHANGE)
    yield made
    made.close()


def body(queue: str, n: int) -> bytes:
    """A message of the actor ``noted`` whose body names a queue."""
    message: dramatiq.Message[None] = dramatiq.Message(
        queue_name=queue, actor_name="noted", args=(), kwargs={"n": n}, options={}
    )
    return message.encode()


def key(queue: str) -> str:
    return f"severa.{queue}.changed"


def connections(rabbitmq: RabbitServer, url: str) -> list[dict[str, Any]]:
    """What the management interface shows of this virtual host's connections; it takes a second to notice one."""
    found: list[dict[str, Any]] = rabbitmq.management("GET", f"/api/vhosts/{host(url)}/connections")
    return found


def queues(rabbitmq: RabbitServer, url: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in rabbitmq.management("GET", f"/api/queues/{host(url)}")}


def host(url: str) -> str:
    return urllib.parse.quote(urllib.parse.urlsplit(url).path.lstrip("/"), safe="")


def waiting(url: str, queue: str) -> int:
    """Messages that stand in a queue."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        count: int = connection.channel().queue_declare(queue, passive=True).method.message_count
        return count


def test_a_message_that_names_another_queue_is_worked_off_where_it_stands_and_its_worker_lives_on(
    amqp_url: str, broker: EventBroker, publisher: ConfirmingPublisher
) -> None:
    done: list[tuple[str, int]] = []
    two = threading.Event()

    @dramatiq.actor(broker=broker, queue_name="invoice", actor_name="noted")
    def noted(n: int) -> None:
        done.append((threading.current_thread().name, n))
        if len(done) == 2:
            two.set()

    taken = publisher.publish(
        [Outgoing(key("invoice"), body("payment", 1)), Outgoing(key("invoice"), body("invoice", 2))],
        timeout=10,
    )
    assert taken == [True, True]
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    try:
        assert two.wait(240), done
        assert sorted(n for _thread, n in done) == [1, 2]
        assert all(thread.is_alive() for thread in worker.workers)
        wait_for("both are acknowledged", lambda: waiting(amqp_url, "invoice") == 0, seconds=10)
    finally:
        worker.stop(timeout=20_000)
    # Acknowledged, not given back: nothing is left once the consumer is gone, in no queue.
    assert [waiting(amqp_url, name) for name in ("invoice", "invoice.XQ", "payment")] == [0, 0, 0]


def test_a_worker_that_lets_the_name_of_the_body_stand_would_lose_its_thread(
    amqp_url: str, publisher: ConfirmingPublisher
) -> None:
    """Why the consumer is ours: should Dramatiq mend this, our consumer can go."""

    class AsItComes(EventBroker):
        @property
        def consumer_class(self) -> Any:
            return dramatiq.brokers.rabbitmq._RabbitmqConsumer

    plain = AsItComes(with_timeouts(amqp_url), quorum=False)

    @dramatiq.actor(broker=plain, queue_name="invoice", actor_name="noted")
    def noted(n: int) -> None:
        raise AssertionError(f"{n} arrived")

    assert publisher.publish([Outgoing(key("invoice"), body("payment", 1))], timeout=60) == [True]
    worker = dramatiq.Worker(plain, worker_threads=1, worker_timeout=100)
    died: list[BaseException | None] = []
    before, threading.excepthook = threading.excepthook, lambda args: died.append(args.exc_value)
    worker.start()
    try:
        wait_for("the thread is dead", lambda: not worker.workers[0].is_alive(), seconds=20)
        assert [type(error) for error in died] == [KeyError]
    finally:
        threading.excepthook = before
        worker.stop(timeout=10_000)
        plain.close()


def test_an_unroutable_message_is_told_apart_from_the_taken_ones_around_it(
    amqp_url: str, publisher: ConfirmingPublisher
) -> None:
    batch = [
        Outgoing(key("invoice"), body("invoice", 1)),
        Outgoing("severa.nobody.changed", body("nobody", 2)),
        Outgoing(key("payment"), body("payment", 3)),
    ]
    assert publisher.publish(batch, timeout=60) == [True, False, True]
    assert (waiting(amqp_url, "invoice"), waiting(amqp_url, "payment")) == (1, 1)


def test_a_message_that_the_broker_refuses_comes_back_as_not_taken(
    amqp_url: str, publisher: ConfirmingPublisher
) -> None:
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        channel = connection.channel()
        channel.queue_declare("full", arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
        channel.queue_bind("full", topology.EXCHANGE, routing_key="severa.full.changed")
    first, *rest = (publisher.publish([Outgoing("severa.full.changed", b"{}")], timeout=60) for _ in range(3))
    assert first == [True]
    assert [False] in rest
    assert publisher.publish([Outgoing(key("invoice"), b"{}")], timeout=60) == [True]


def test_without_its_exchange_nothing_is_taken_and_with_it_again_everything_is(amqp_url: str) -> None:
    publisher = ConfirmingPublisher(with_timeouts(amqp_url), topology.EXCHANGE)
    try:
        assert publisher.publish([Outgoing(key("invoice"), b"{}")], timeout=60) == [False]
        declared(amqp_url).close()
        wait_for(
            "the publisher is connected again",
            lambda: publisher.publish([Outgoing(key("invoice"), b"{}")], timeout=60) == [True],
            seconds=20,
        )
    finally:
        publisher.close()


def test_the_publisher_connects_again_after_the_broker_closed_its_connection(
    rabbitmq: RabbitServer, amqp_url: str, publisher: ConfirmingPublisher
) -> None:
    assert publisher.publish([Outgoing(key("invoice"), body("invoice", 1))], timeout=60) == [True]
    port = _port(publisher)
    [name] = wait_for(
        "the broker shows the connection",
        lambda: [one["name"] for one in connections(rabbitmq, amqp_url) if one.get("peer_port") == port],
        seconds=20,
    )
    rabbitmq.management("DELETE", f"/api/connections/{urllib.parse.quote(name, safe='')}")
    thread = publisher._thread
    assert thread is not None
    thread.join(20)
    assert not thread.is_alive()
    assert publisher.publish([Outgoing(key("invoice"), body("invoice", 2))], timeout=60) == [True]
    assert _port(publisher) != port
    assert waiting(amqp_url, "invoice") == 2


def _port(publisher: ConfirmingPublisher) -> int:
    connection: Any = publisher._connection
    port: int = connection._transport._sock.getsockname()[1]
    return port


@pytest.mark.parametrize("quorum", [False, True], ids=["classic", "quorum"])
def test_the_queues_are_of_the_kind_that_the_setting_says(
    rabbitmq: RabbitServer, amqp_url: str, *, quorum: bool
) -> None:
    declared(amqp_url, quorum=quorum).close()
    found = queues(rabbitmq, amqp_url)
    assert set(topology.QUEUES) <= set(found)
    kinds = {found[name]["arguments"].get("x-queue-type") for name in topology.QUEUES}
    assert kinds == ({"quorum"} if quorum else {None})
    assert {found[name]["durable"] for name in topology.QUEUES} == {True}


def test_queues_of_another_kind_than_the_setting_are_refused_not_mixed(amqp_url: str) -> None:
    declared(amqp_url).close()
    broker = EventBroker(with_timeouts(amqp_url), quorum=True)
    try:
        with pytest.raises(dramatiq.errors.ConnectionClosed, match="PRECONDITION_FAILED"):
            topology.declare(broker)
    finally:
        broker.close()


def test_a_message_leaves_as_json_that_outlives_a_restart(
    amqp_url: str, publisher: ConfirmingPublisher
) -> None:
    publisher.publish([Outgoing(key("invoice"), body("invoice", 7))], timeout=60)
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        _method, properties, content = connection.channel().basic_get("invoice", auto_ack=True)
    assert (properties.delivery_mode, properties.content_type) == (2, "application/json")
    assert json.loads(content)["kwargs"] == {"n": 7}
