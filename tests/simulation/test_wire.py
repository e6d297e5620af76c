"""The network of a play tells httpcore's trace events where httpcore tells them, so that a guard there works as it does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from simulation.kernel import Process
from simulation.stage import CREATE, Stage
from simulation.wire import ERP

Stages = Callable[..., AbstractContextManager[Stage]]


class TooLateError(Exception):
    """What a guard raises: past its deadline nothing is sent."""


@pytest.mark.parametrize("guarded", ["headers", "body"])
def test_a_guard_in_httpcores_trace_keeps_a_call_from_being_sent(stage: Stages, guarded: str) -> None:
    """Stood still for 100 s before the headers, or between headers and body: seen there, and the vendor hears nothing."""
    with stage() as play:
        kernel, raised = play.play.kernel, list[float]()
        deadline = kernel.now + 30

        def guard(event: str, _info: dict[str, Any]) -> None:
            if event == f"http11.send_request_{guarded}.started" and kernel.now > deadline:
                raise TooLateError

        def call() -> None:
            with httpx.Client(trust_env=False) as client:
                try:
                    client.post(f"{ERP}/v2/customerinvoice", json={}, extensions={"trace": guard})
                except TooLateError:
                    raised.append(kernel.now - deadline)

        if guarded == "headers":
            play.pause("guarded", before=CREATE, seconds=100)
        else:
            play.pause("guarded", between=CREATE, seconds=100)
        kernel.spawn(Process("guarded"), "guarded", call)
        play.run(300)
        assert raised == [70.0]
        assert play.play.wire.writes == []


def test_a_call_is_carried_out_after_its_caller_has_given_up(stage: Stages) -> None:
    with stage() as play:
        seen: list[str] = []

        def call() -> None:
            with httpx.Client(trust_env=False, timeout=10) as client:
                try:
                    client.post(f"{ERP}/v2/customerinvoice", json={})
                except httpx.ReadTimeout:
                    seen.append(f"timed out, {len(play.play.wire.writes)} arrived")

        play.late(CREATE, seconds=60)
        play.play.kernel.spawn(Process("patient"), "patient", call)
        play.run(300)
        assert seen == ["timed out, 0 arrived"]
        assert len(play.play.wire.writes) == 1
