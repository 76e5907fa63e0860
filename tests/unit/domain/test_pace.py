"""When the next call may start: the promises of the module, and an account in virtual time.

The simulation knows what no program can know: when a request arrives. It draws that, and it also
takes the worst case of what the module's docstring allows: each request is on its way for as long
as it may be, and the one after it arrives at once.
"""

import itertools
import math
import random
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ses_insights.domain.pace import GUARD, CallResult, Pace

PERIOD = 1.0
TICK = 1e-9
"""Seconds; far below anything that matters and far above what floating point loses."""


@dataclass
class Call:
    """One call in the world: what it will be like, then when it was."""

    took: float
    result: CallResult = CallResult.ANSWERED
    pause: float = 0.0
    """Seconds the function does something else before it."""
    outward: float = 0.0
    """Which part of the time the request takes to SES; on an open connection at most the guard."""
    killed: bool = False
    """The environment dies while the request is under way."""


@dataclass
class Invocation:
    """One run of the function: a skip where it makes no call."""

    environment: int = 0
    gap: float = 0.005
    """Seconds since the last invocation of any environment ended."""
    calls: tuple[Call, ...] = ()
    tail: float = 0.01
    """Seconds it goes on after its last call."""


@dataclass
class Environment:
    """An execution environment: its pace is known to nobody else."""

    pace: Pace
    ended: float = -math.inf
    connected: bool = False
    """Whether a call on the present connection came back."""


@dataclass
class World:
    """An account whose environments take turns, and what reaches SES in the worst case."""

    period: float = PERIOD
    now: float = 1_000.0
    tick: float = 0.0
    """Seconds between the only moments at which a wait can end; none where it is 0."""
    environments: dict[int, Environment] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    arrived_by: list[float] = field(default_factory=list)

    def run(self, invocation: Invocation) -> None:
        """Run the function once."""
        self.now += invocation.gap
        here = self.environments.setdefault(invocation.environment, Environment(Pace(self.period)))
        idle = self.now - here.ended
        here.connected &= idle < self.period
        here.pace.invocation_began(self.now, idle=idle)
        for call in invocation.calls:
            self.now += call.pause
            self._wait(here.pace)
            self._call(here, call)
            if call.killed:
                del self.environments[invocation.environment]
                return
        self.now += invocation.tail
        here.ended = self.now

    def _wait(self, pace: Pace) -> None:
        while wait := pace.wait(self.now):
            self.now += wait
            if self.tick:
                self.now = math.ceil(self.now / self.tick) * self.tick

    def _call(self, here: Environment, call: Call) -> None:
        guard, start = here.pace.guard, self.now
        here.pace.call_started(start)
        self.starts.append(start)
        self.now += call.took
        longest = GUARD if here.connected else math.inf
        self.arrivals.append(start + min(call.took * call.outward, longest))
        self.arrived_by.append(self.now)
        if call.killed:
            return
        here.pace.call_ended(self.now, call.result)
        # A round trip may only count as usual on an open connection with an answer to show for it;
        # then the request may have travelled as long as the guard, else until the answer came.
        next_start = self.now + here.pace.wait(self.now)
        if (
            call.result is CallResult.ANSWERED
            and here.connected
            and (next_start < self.now + self.period - TICK)
        ):
            self.arrived_by[-1] = min(self.now, start + guard)
        here.connected = call.result is not CallResult.BROKEN

    @property
    def closest(self) -> float:
        """The smallest distance of two arrivals as SES saw them."""
        return min((after - before for before, after in pairwise(self.arrivals)), default=math.inf)

    @property
    def closest_at_worst(self) -> float:
        """The smallest distance of two arrivals: one as late, the next as early as may be."""
        return min(
            (
                start - before
                for before, start in zip(self.arrived_by, self.starts[1:], strict=False)
            ),
            default=math.inf,
        )


def world(*invocations: Invocation) -> World:
    """Let invocations happen, one after the other."""
    account = World()
    for invocation in invocations:
        account.run(invocation)
    return account


def results() -> st.SearchStrategy[CallResult]:
    """Most calls are answered."""
    others = st.sampled_from([CallResult.THROTTLED, CallResult.BROKEN])
    return st.one_of(st.just(CallResult.ANSWERED), st.just(CallResult.ANSWERED), others)


def calls() -> st.SearchStrategy[Call]:
    """Calls that are quick, slow, or longer than the period; some kill the environment."""
    took = st.one_of(st.sampled_from([0.001, 0.02, 0.05, 0.4, 1.0, 5.0]), st.floats(0.0005, 7.0))
    pause = st.sampled_from([0.0, 0.02, 0.5, 1.2])
    killed = st.sampled_from([False, False, False, False, True])
    return st.builds(Call, took, results(), pause, st.floats(0.0, 1.0), killed)


def invocations(environments: int) -> st.SearchStrategy[list[Invocation]]:
    """Invocations of several environments with gaps around the period; some make no call."""
    gaps = st.one_of(
        st.sampled_from([0.0, 0.005, 0.5, 0.98, 0.989, 0.99, 1.0, 1.01, 30.0]), st.floats(0.0, 2.5)
    )
    one = st.builds(
        Invocation,
        st.integers(0, environments - 1),
        gaps,
        st.lists(calls(), max_size=3).map(tuple),
        st.sampled_from([0.0, 0.01, 0.3, 0.97]),
    )
    return st.lists(one, min_size=1, max_size=20)


@settings(max_examples=400)
@given(invocations(environments=1))
def test_no_two_requests_arrive_closer_than_the_period(turns: list[Invocation]) -> None:
    """If every request arrives by its bound, SES never counts two within a period."""
    account = world(*turns)
    assert account.closest_at_worst >= PERIOD - TICK
    assert account.closest >= PERIOD - TICK


@settings(max_examples=400)
@given(invocations(environments=3))
@example(
    [
        Invocation(0, 5.0, (Call(0.05), Call(0.05), Call(0.05))),
        Invocation(1, 0.01, ()),
        Invocation(0, 0.01, (Call(0.05),)),
        Invocation(1, 0.01, (Call(0.05),)),
        Invocation(0, 0.01, (Call(0.05),)),
    ]
)
def test_environments_that_take_turns_keep_the_period_together(turns: list[Invocation]) -> None:
    """Not knowing of each other's calls, environments still keep the period between them."""
    account = world(*turns)
    assert account.closest_at_worst >= PERIOD - TICK
    assert account.closest >= PERIOD - TICK


def test_every_order_of_two_environments_keeps_the_period() -> None:
    """All 65,536 ways in which two environments can call or skip four times keep the period."""
    turns = [
        Invocation(environment, gap, (Call(0.03),) * number, tail)
        for environment in (0, 1)
        for gap, tail in ((0.001, 0.0), (0.5, 0.0), (0.95, 0.04), (1.0, 0.0))
        for number in (0, 1)
    ]
    first = Invocation(0, 5.0, (Call(0.03),) * 3)
    closest = min(
        world(first, *order).closest_at_worst for order in itertools.product(turns, repeat=4)
    )
    assert closest >= PERIOD - TICK


@pytest.mark.parametrize("idle", [math.inf, 0.0])
def test_a_new_environment_waits_a_full_period(idle: float) -> None:
    """It knows of no earlier call, and none can be later than its own beginning."""
    pace = Pace(PERIOD)
    pace.invocation_began(50.0, idle=idle)
    assert pace.wait(50.0) == pytest.approx(PERIOD)
    assert pace.wait(50.4) == pytest.approx(0.6)
    assert pace.wait(51.5) == 0.0


def test_nothing_may_start_before_an_invocation() -> None:
    """A pace without an invocation lets no call start."""
    assert Pace(PERIOD).wait(1e9) == math.inf


def test_nothing_may_start_while_a_call_is_under_way() -> None:
    """Until the answer is there, nobody knows when the next may start."""
    pace = Pace(PERIOD)
    pace.invocation_began(50.0, idle=math.inf)
    pace.call_started(51.0)
    assert pace.wait(99.0) == math.inf


@pytest.mark.parametrize("period", [1.0, 2.5])
def test_the_period_is_the_settings(period: float) -> None:
    """A period longer than a second is kept as a second is."""
    pace = Pace(period)
    pace.invocation_began(0.0, idle=math.inf)
    assert pace.wait(0.0) == period
    pace.call_started(period)
    pace.call_ended(period + 0.1, CallResult.ANSWERED)
    assert pace.wait(period + 0.1) == pytest.approx(period)


def warmed(count: int = 20, took: float = 0.05) -> tuple[Pace, float]:
    """Let calls go well for a while; return the pace and the time at which the next may start."""
    pace, now = Pace(PERIOD), 0.0
    pace.invocation_began(now, idle=math.inf)
    for _ in range(count):
        now += pace.wait(now)
        pace.call_started(now)
        now += took
        pace.call_ended(now, CallResult.ANSWERED)
    return pace, now + pace.wait(now)


def call(pace: Pace, start: float, took: float, result: CallResult = CallResult.ANSWERED) -> float:
    """Make a call and return when the next may start."""
    pace.call_started(start)
    pace.call_ended(start + took, result)
    return start + took + pace.wait(start + took)


def test_a_usual_call_is_followed_a_period_and_a_guard_after_its_start() -> None:
    """While calls behave, the time SES takes to answer costs nothing."""
    pace, start = warmed()
    assert call(pace, start, 0.05) == pytest.approx(start + PERIOD + GUARD)


def test_a_call_quicker_than_the_guard_is_followed_a_period_after_its_answer() -> None:
    """Once the answer is there the request has arrived; waiting for the guard would waste."""
    pace, start = warmed(took=0.01)
    assert call(pace, start, 0.01) == pytest.approx(start + PERIOD + 0.01)


@pytest.mark.parametrize("result", [CallResult.THROTTLED, CallResult.BROKEN])
@pytest.mark.parametrize("took", [0.004, 0.05, 5.0])
def test_a_refused_or_broken_call_is_followed_a_period_after_its_end(
    result: CallResult, took: float
) -> None:
    """Nobody knows how such a request travelled, so its end is all there is to count from."""
    pace, start = warmed()
    assert call(pace, start, took, result) == pytest.approx(start + took + PERIOD)


def test_a_call_slower_than_usual_is_followed_a_period_after_its_answer() -> None:
    """A request may have been repeated on its way; only the answer is certain."""
    pace, start = warmed()
    assert call(pace, start, 0.5) == pytest.approx(start + 0.5 + PERIOD)


def test_the_second_of_two_slow_calls_is_not_usual_either() -> None:
    """One slow call does not make the next one usual: trouble on the way comes in rows."""
    pace, start = warmed()
    start = call(pace, start, 5.0)
    assert call(pace, start, 5.0) == pytest.approx(start + 5.0 + PERIOD)


def test_a_lasting_change_becomes_usual() -> None:
    """When all calls take longer than before, they are usual again within a minute of calls."""
    pace, start = warmed(took=0.05)
    for _ in range(60):
        start = call(pace, start, 0.4)
    following = call(pace, start, 0.4)
    assert following == pytest.approx(start + PERIOD + GUARD)
    assert call(pace, following, 0.6) == pytest.approx(following + 0.6 + PERIOD)


@pytest.mark.parametrize(
    ("before", "slowest"),
    [
        # The first one sets the mean, and half of it as the deviation.
        ((0.1,), 0.3),
        # From then on the deviation moves by a quarter and the mean by an eighth of what is new.
        ((0.1, 0.1), 0.25),
        ((0.1, 0.2), 0.3625),
        ((0.1, 0.1, 0.06), 0.247_5),
        # What is slower than the slowest usual one counts as that one.
        ((0.1, 5.0), 0.475),
        # Where calls hardly differ, the guard is what they may differ by.
        ((0.1,) * 30, 0.125),
    ],
)
def test_usual_is_the_mean_and_four_deviations(before: tuple[float, ...], slowest: float) -> None:
    """A round trip is compared as RFC 6298 has it: usual up to the slowest one, not beyond."""
    for took, bound in ((slowest - 0.001, GUARD), (slowest + 0.001, slowest + 0.001)):
        pace = Pace(PERIOD)
        pace.invocation_began(0.0, idle=math.inf)
        start = call(pace, PERIOD, 7.0)  # opens the connection, and says nothing of what is usual
        for earlier in before:
            start = call(pace, start, earlier)
        assert call(pace, start, took) == pytest.approx(start + bound + PERIOD)


def test_a_slow_call_does_not_make_the_quick_ones_unusual() -> None:
    """After one slow call, quick ones are followed as quickly as before."""
    pace, start = warmed()
    start = call(pace, start, 5.0)
    assert call(pace, start, 0.05) == pytest.approx(start + PERIOD + GUARD)


def test_the_first_call_on_a_connection_is_followed_a_period_after_its_answer() -> None:
    """The first call after a broken one opens a connection, which takes time before the request."""
    pace, start = warmed()
    start = call(pace, start, 0.05, CallResult.BROKEN)
    after_the_first = call(pace, start, 0.05)
    assert after_the_first == pytest.approx(start + 0.05 + PERIOD)
    after_the_second = call(pace, after_the_first, 0.05)
    assert after_the_second == pytest.approx(after_the_first + PERIOD + GUARD)


def test_the_first_two_calls_of_all_are_counted_from_their_answers() -> None:
    """The first opens the connection, the second shows what is usual; from the third on it is."""
    pace = Pace(PERIOD)
    pace.invocation_began(0.0, idle=math.inf)
    start = PERIOD
    expected = [0.05, 0.05, GUARD, GUARD]
    for bound in expected:
        following = call(pace, start, 0.05)
        assert following == pytest.approx(start + bound + PERIOD)
        start = following


@pytest.mark.parametrize("idle", [0.0, 0.5, 0.999])
def test_a_short_gap_keeps_what_is_known(idle: float) -> None:
    """Less than a period between two invocations: nobody else can have called in between."""
    pace, start = warmed()
    pace.invocation_began(start + 0.1, idle=idle)
    assert pace.wait(start + 0.1) == 0.0


@pytest.mark.parametrize("idle", [PERIOD, 1.001, 60.0, math.inf])
def test_a_gap_of_a_period_costs_a_full_period(idle: float) -> None:
    """Somebody else may have called in the gap, at the latest when this invocation began."""
    pace, start = warmed()
    pace.invocation_began(start + 5.0, idle=idle)
    assert pace.wait(start + 5.0) == pytest.approx(PERIOD)


def test_after_a_gap_the_connection_counts_as_closed() -> None:
    """A server may have closed it, so the first call is counted from its answer."""
    pace, start = warmed()
    pace.invocation_began(start + 5.0, idle=5.0)
    following = call(pace, start + 6.0, 0.05)
    assert following == pytest.approx(start + 6.05 + PERIOD)


def test_a_wait_that_led_to_no_call_is_not_remembered() -> None:
    """An invocation that waited and made no call leaves the next one as unknowing as it was."""
    pace, start = warmed()
    pace.invocation_began(start + 5.0, idle=5.0)
    pace.invocation_began(start + 5.9, idle=0.01)
    assert pace.wait(start + 5.9) == pytest.approx(PERIOD)


@given(st.integers(1, 900), st.integers(0, 300))
def test_no_slot_is_wasted_while_calls_behave(took: int, gap: int) -> None:
    """Under backlog each call starts within a period and a guard of the one before."""
    # Whole 1/1024 seconds add up exactly, so that calls that take the same time measure the same.
    tick = 1 / 1_024
    turn = Invocation(0, gap * tick, (Call(took * tick),), tail=0.0)
    account = World(now=0.0, tick=tick)
    for _ in range(30):
        account.run(turn)
    distances = [after - before for before, after in pairwise(account.starts[2:])]
    assert max(distances) <= max(PERIOD + GUARD, (took + gap) * tick) + tick


@pytest.mark.parametrize("seed", range(5))
def test_nearly_every_slot_is_used_with_the_latency_of_ses(seed: int) -> None:
    """With 20 to 400 ms of service time, at least 95 % of the slots of a backlog are used."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    account = world(*(Invocation(calls=(Call(chance.uniform(0.02, 0.4)),)) for _ in range(500)))
    assert account.closest_at_worst >= PERIOD - TICK
    assert 499 * PERIOD / (account.starts[-1] - account.starts[0]) >= 0.95


@pytest.mark.parametrize("seed", range(5))
def test_nearly_every_slot_is_used_with_a_long_tail(seed: int) -> None:
    """Latency with rare spikes, as networks have it, costs few slots: at least 93 % are used."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    account = world(
        *(Invocation(calls=(Call(chance.lognormvariate(-2.5, 0.6)),)) for _ in range(500))
    )
    assert 499 * PERIOD / (account.starts[-1] - account.starts[0]) >= 0.93


def test_the_guard_begins_at_25_milliseconds() -> None:
    """Within a Region a request travels a few milliseconds; the guard leaves room for more."""
    assert Pace(PERIOD).guard == GUARD == 0.025


def test_a_429_doubles_the_guard() -> None:
    """A 429 shows that a request took longer than the guard; the next ones get twice as much."""
    pace, start = warmed()
    start = call(pace, start, 0.05, CallResult.THROTTLED)
    assert pace.guard == pytest.approx(2 * GUARD)
    start = call(pace, start, 0.05, CallResult.THROTTLED)
    assert pace.guard == pytest.approx(4 * GUARD)
    assert call(pace, start, 0.09) <= start + PERIOD + 0.09 + TICK


def test_the_larger_guard_is_used() -> None:
    """After a 429, a usual call is followed a period and the doubled guard after its start."""
    pace, start = warmed(took=0.3)
    start = call(pace, start, 0.3, CallResult.THROTTLED)
    doubled = pace.guard
    assert doubled == pytest.approx(2 * GUARD)
    assert call(pace, start, 0.3) == pytest.approx(start + PERIOD + doubled)


def test_the_guard_halves_in_about_seventy_good_calls() -> None:
    """It comes back slowly, so that a road that stays slow is not run into again and again."""
    pace, start = warmed(took=0.3)
    for _ in range(3):
        start = call(pace, start, 0.3, CallResult.THROTTLED)
    assert pace.guard == pytest.approx(8 * GUARD)
    for _ in range(70):
        start = call(pace, start, 0.3)
    assert pace.guard == pytest.approx(4 * GUARD, rel=0.02)


def test_the_guard_comes_down_to_its_floor() -> None:
    """After enough good calls the guard is what it was at first."""
    pace, start = warmed()
    for _ in range(20):
        start = call(pace, start, 0.05, CallResult.THROTTLED)
    assert pace.guard == PERIOD
    for _ in range(400):
        start = call(pace, start, 0.05)
    assert pace.guard == GUARD


@pytest.mark.parametrize("period", [1.0, 2.0])
@given(st.lists(results(), max_size=60))
def test_the_guard_stays_between_its_floor_and_the_period(
    period: float, ends: list[CallResult]
) -> None:
    """However calls end, the guard grows by a 429 alone, and never beyond the period."""
    pace, start = Pace(period), 1.0
    pace.invocation_began(0.0, idle=math.inf)
    for result in ends:
        before = pace.guard
        start = call(pace, start, 0.05, result)
        assert GUARD <= pace.guard <= period
        assert (pace.guard > before) == (result is CallResult.THROTTLED and before < period)
        assert result is not CallResult.BROKEN or pace.guard == before


def test_a_call_after_a_gap_is_known_as_such_until_it_starts() -> None:
    """It is counted apart: it waits for a full period."""
    pace = Pace(1.0)
    pace.invocation_began(0.0, idle=10.0)
    assert pace.after_gap is True
    pace.call_started(1.0)
    assert pace.after_gap is False
