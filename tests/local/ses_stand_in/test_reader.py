"""The reader of the suppression list against the stand-in, and the tests' own list beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from local.ses_stand_in.control import Control
from local.ses_stand_in.settings import FaultKind, Operation
from ses_insights.adapters.suppression_list import SesSuppressionList
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.listing import Feedback
from ses_insights.domain.suppression import Entry
from ses_insights.service.ports import SuppressionList
from tests.local.ses_stand_in.conftest import START
from tests.support.fakes import Clock
from tests.support.fakes_feedback import FakeSuppressionList, throttled
from tests.support.stand_in import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

DAY = timedelta(days=1)
BOUNCES = "bounce-noemail@stories.example"
COMPLAINS = "complaint-abuse@stories.example"


class World:
    """A list with a bounce and a complaint on it, and what a test does to it."""

    def __init__(
        self,
        source: SuppressionList,
        ids: dict[str, str],
        *,
        gone: Callable[[], None],
        refuse: Callable[[], None],
        turn_off: Callable[[], None],
    ) -> None:
        self.source, self.ids = source, ids
        self.gone, self.refuse, self.turn_off = gone, refuse, turn_off

    def entries(self) -> dict[str, Entry]:
        """Everything on the list, page by page."""
        found: list[Entry] = []
        token = None
        while True:
            page = self.source.page(since=START - DAY, until=None, token=token)
            found += page.entries
            token = page.next_token
            if token is None:
                return {entry.address: entry for entry in found}


@pytest.fixture(params=["fake", "stand-in"])
def world(request: pytest.FixtureRequest) -> World:
    """The fake, and the real adapter on the stand-in."""
    return _fake() if request.param == "fake" else _real(request)


def _fake() -> World:
    fake = FakeSuppressionList(clock=Clock(wall=(START + DAY).timestamp()), page_size=1)
    ids = {BOUNCES: "0102-bounce", COMPLAINS: "0102-complaint"}
    for address, reason in ((BOUNCES, Feedback.BOUNCE), (COMPLAINS, Feedback.COMPLAINT)):
        fake.add(address, ids[address], reason=reason, at=START)

    def refuse() -> None:
        fake.failure = throttled()

    def turn_off() -> None:
        fake.off = frozenset({Feedback.COMPLAINT})

    return World(fake, ids, gone=lambda: fake.gone.add(BOUNCES), refuse=refuse, turn_off=turn_off)


def _real(request: pytest.FixtureRequest) -> World:
    send: Callable[..., str] = request.getfixturevalue("send")
    client: SESV2Client = request.getfixturevalue("client")
    control: Control = request.getfixturevalue("control")
    clock: ManualClock = request.getfixturevalue("clock")
    ids = {address: send(address) for address in (BOUNCES, COMPLAINS)}
    clock.advance(DAY)

    def refuse() -> None:
        control.fail(FaultKind.THROTTLED, operation=Operation.LIST_SUPPRESSED_DESTINATIONS)

    def turn_off() -> None:
        control.change(suppressed_reasons=["BOUNCE"])

    return World(
        SesSuppressionList(client, sleep=lambda _: None),
        ids,
        gone=lambda: control.fail(FaultKind.GONE, operation=Operation.GET_SUPPRESSED_DESTINATION),
        refuse=refuse,
        turn_off=turn_off,
    )


def test_every_entry_is_on_some_page(world: World) -> None:
    """Whatever the order."""
    assert world.entries().keys() == {BOUNCES, COMPLAINS}


def test_an_entry_leads_to_its_message(world: World) -> None:
    """With the reason, and the time that the page gave."""
    for address, reason in ((BOUNCES, Feedback.BOUNCE), (COMPLAINS, Feedback.COMPLAINT)):
        found = world.source.look_up(address)
        assert found is not None
        assert (found.message_id, found.reason) == (world.ids[address], reason)
        assert found.listed_at == world.entries()[address].listed_at


def test_an_address_that_is_not_listed_is_none(world: World) -> None:
    """Or not any more."""
    assert world.source.look_up("nobody@stories.example") is None
    world.gone()
    assert world.source.look_up(BOUNCES) is None


def test_what_was_listed_before_is_not_shown(world: World) -> None:
    """`since` is a bound, to a second or so."""
    page = world.source.page(since=START + DAY, until=None, token=None)
    assert page.entries == ()


def test_a_throttled_call_fails_as_such(world: World) -> None:
    """The reader tells it from every other failure."""
    world.refuse()
    with pytest.raises(SystemFailure) as failed:
        world.source.page(since=START, until=None, token=None)
    assert failed.value.kind is FailureKind.SES_THROTTLED


def test_reasons_that_are_off_are_told(world: World) -> None:
    """None at first."""
    assert world.source.reasons_off() == set()
    world.turn_off()
    assert world.source.reasons_off() == {Feedback.COMPLAINT}
