"""SES is asked at the pace, once per slot, and what it says is read for what it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import boto3
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.adapters import ses
from ses_insights.adapters.ses import SesSource
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.insight import Bounce, Event
from ses_insights.domain.pace import GUARD, Call, Pace
from ses_insights.domain.record import Answer, Found, NotFound, Refused
from tests.support.fakes import Clock, Killed
from tests.support.samples import BOUNCES, MESSAGE_ID
from tests.support.wire import (
    GARBLED,
    NOT_FOUND,
    REFUSED,
    THROTTLED,
    VDM_OFF,
    Network,
    Reply,
    insights,
    ses_error,
)

PERIOD = 1.0
PLENTY = 300.0
"""Seconds left in an invocation that is in no hurry."""
LONGEST_CALL, STORING_NEEDS = 7, 8
"""Seconds that the slowest answer may take, and that are kept to store it."""
ONE_CALL = PERIOD + LONGEST_CALL + STORING_NEEDS
"""Seconds that an environment's first call needs: it waits a period, may be slow, and is stored."""
ENOUGH = ONE_CALL + 0.5
"""Seconds left in an invocation that has time for one call and for no second one."""
URL = "https://email.eu-west-1.amazonaws.com"
ADDRESS = "anna@there.example"


@dataclass(slots=True)
class Bench:
    """A source, the network it talks to, and the calls it announces."""

    clock: Clock
    network: Network
    source: SesSource
    calls: list[Call] = field(default_factory=list)

    @contextmanager
    def invocation(self, seconds_left: float = PLENTY) -> Iterator[None]:
        """An invocation of the function."""
        with self.source.invocation(seconds_left):
            yield

    def ask(self) -> Answer:
        """Ask about the message."""
        return self.source.ask(MESSAGE_ID)

    def ask_alone(self, seconds_left: float = PLENTY) -> Answer:
        """Ask in an invocation of its own."""
        with self.invocation(seconds_left):
            return self.ask()

    def failure(self, seconds_left: float = ENOUGH) -> SystemFailure:
        """Ask in vain, in an invocation of its own."""
        with pytest.raises(SystemFailure) as caught:
            self.ask_alone(seconds_left)
        return caught.value


def make_bench(session: boto3.Session) -> Bench:
    """A source as an execution environment has it that was just born."""
    clock = Clock()
    network = Network(clock)
    calls: list[Call] = []
    source = SesSource(
        client=session.client("sesv2", config=ses.CONFIG),
        pace=Pace(PERIOD),
        on_call=calls.append,
        clock=clock.read,
        wall_clock=clock.read_wall,
        sleep=clock.sleep,
    )
    network.cut(source.client.meta.events)
    network.will(insights())
    return Bench(clock, network, source, calls)


@pytest.fixture
def bench(session: boto3.Session) -> Bench:
    """A source of its own for each test."""
    return make_bench(session)


# What SES says


def test_an_answer_is_read_from_the_wire(bench: Bench) -> None:
    """What SES sends as JSON arrives as insights, its epoch times as instants of our writing."""
    answer = bench.ask_alone()
    assert isinstance(answer, Found)
    assert answer.insights.message_id == MESSAGE_ID
    (destination,) = answer.insights.destinations
    assert (destination.address, destination.isp) == (BOUNCES, "Gmail")
    assert destination.events == (
        Event("SEND", "2026-11-23T10:00:00.000Z"),
        Event("BOUNCE", "2026-11-23T10:01:00.250Z", Bounce("PERMANENT", "NoEmail", "5.1.1")),
    )


def test_the_request_names_the_message_in_its_path(bench: Bench) -> None:
    """The request is the API's: GET, the id in the path, a slash at its end."""
    bench.ask_alone()
    (request,) = bench.network.requests
    assert request.method == "GET"
    assert request.url == f"{URL}/v2/email/insights/{MESSAGE_ID}/"


@pytest.mark.parametrize(("reply", "answer"), [(NOT_FOUND, NotFound()), (REFUSED, Refused())])
def test_a_404_and_a_400_are_answers(bench: Bench, reply: Reply, answer: Answer) -> None:
    """NotFoundException and BadRequestException are answers about the message and no failures."""
    bench.network.will(reply)
    assert bench.ask_alone() == answer


@pytest.mark.parametrize(
    "text",
    [
        "To use this feature you must enable Virtual Deliverability Manager",
        "to use this feature you must enable VIRTUAL DELIVERABILITY MANAGER (VDM).",
    ],
)
@pytest.mark.parametrize(
    ("status", "code"), [(404, "NotFoundException"), (400, "BadRequestException")]
)
def test_vdm_off_is_a_failure_of_the_system_whatever_its_code(
    bench: Bench, status: int, code: str, text: str
) -> None:
    """An error with SES's text about VDM says nothing about the message."""
    bench.network.will(ses_error(status, code, text))
    failure = bench.failure()
    assert failure.kind is FailureKind.VDM_OFF
    assert "Virtual Deliverability Manager is off" in str(failure)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, b""),
        Reply(404, b"<html>no such page</html>"),
        ses_error(404, "UnknownOperationException"),
    ],
)
def test_a_404_of_somebody_else_is_no_answer(bench: Bench, reply: Reply) -> None:
    """Only NotFoundException says that SES does not know the message."""
    bench.network.will(reply)
    assert bench.failure().kind is FailureKind.SES_UNAVAILABLE


@pytest.mark.parametrize("body", [b"", b"<html>please log in</html>"])
def test_a_200_that_says_nothing_is_no_answer(bench: Bench, body: bytes) -> None:
    """A response that holds no insights, from whatever sent it, is not stored as SES's answer."""
    bench.network.will(Reply(200, body))
    failure = bench.failure()
    assert failure.kind is FailureKind.SES_UNAVAILABLE
    assert str(failure) == "GetMessageInsights: an answer without a word"


SHAPELESS = [
    Reply(200, b'{"Insights": 7}'),
    Reply(200, b'{"Insights": {"Events": []}}'),
    Reply(200, b'{"Insights": [{"Events": [{"Timestamp": "soon"}]}]}'),
    Reply(500, b'{"code": ["x"], "message": 7}'),
]


@pytest.mark.parametrize("reply", GARBLED + SHAPELESS)
def test_an_answer_that_cannot_be_read_is_a_failure_of_the_system(
    bench: Bench, reply: Reply
) -> None:
    """Over what has not the shape of an answer botocore falls; the message is not to blame."""
    bench.network.will(reply)
    failure = bench.failure(PLENTY)
    assert failure.kind is FailureKind.SES_UNAVAILABLE
    assert len(bench.network.requests) == 1


def test_an_answer_that_cannot_be_read_is_named_so(bench: Bench) -> None:
    """The text says what happened, and by what; it repeats nothing of the answer."""
    bench.network.will(Reply(500, b"\xff" + ADDRESS.encode()))
    assert str(bench.failure()) == (
        "GetMessageInsights: an answer that cannot be read, UnicodeDecodeError"
    )


def test_a_fault_in_keeping_the_pace_is_ours(bench: Bench) -> None:
    """What this program's own hook raises inside botocore is no answer of SES."""

    def broken(seconds: float) -> None:
        raise TypeError(seconds)

    bench.source.sleep = broken
    with pytest.raises(TypeError):
        bench.ask_alone()


@pytest.mark.parametrize("code", ["ValidationException", "InvalidParameterValue"])
def test_a_malformed_request_does_not_hold_up_the_queue(bench: Bench, code: str) -> None:
    """A 400 that is not SES's own word on the id is a fault of this program, not of the system."""
    bench.network.will(ses_error(400, code))
    with pytest.raises(ClientError):
        bench.ask_alone()


# Failures of the system


TIMED_OUT = ReadTimeoutError(endpoint_url=URL, error=OSError("x"))

TROUBLES: list[tuple[Reply | BaseException, FailureKind]] = [
    (THROTTLED, FailureKind.SES_THROTTLED),
    (ses_error(400, "ThrottlingException"), FailureKind.SES_THROTTLED),
    (ses_error(500, "InternalServiceErrorException"), FailureKind.SES_UNAVAILABLE),
    (ses_error(503, "ServiceUnavailable"), FailureKind.SES_UNAVAILABLE),
    (Reply(500, b""), FailureKind.SES_UNAVAILABLE),
    (Reply(503, b"<html><body>503</body></html>"), FailureKind.SES_UNAVAILABLE),
    (Reply(502, b"Bad Gateway"), FailureKind.SES_UNAVAILABLE),
    (TIMED_OUT, FailureKind.SES_UNAVAILABLE),
    (ConnectTimeoutError(endpoint_url=URL, error=OSError("x")), FailureKind.SES_UNAVAILABLE),
    (ConnectionClosedError(endpoint_url=URL, error=OSError("x")), FailureKind.SES_UNAVAILABLE),
    (EndpointConnectionError(endpoint_url=URL), FailureKind.SES_UNAVAILABLE),
    (SSLError(endpoint_url=URL, error=OSError("x")), FailureKind.SES_UNAVAILABLE),
    (
        HTTPClientError(error=ConnectionResetError(104, "reset by peer")),
        FailureKind.SES_UNAVAILABLE,
    ),
    (ses_error(403, "AccessDeniedException"), FailureKind.ACCESS_DENIED),
    (ses_error(403, "ExpiredTokenException"), FailureKind.CREDENTIALS),
    (ses_error(403, "ExpiredToken"), FailureKind.CREDENTIALS),
    (ses_error(403, "UnrecognizedClientException"), FailureKind.CREDENTIALS),
    (ses_error(403, "InvalidSignatureException"), FailureKind.CREDENTIALS),
    (NoCredentialsError(), FailureKind.CREDENTIALS),
]


@pytest.mark.parametrize(("trouble", "kind"), TROUBLES)
def test_a_failure_has_its_kind(
    bench: Bench, trouble: Reply | BaseException, kind: FailureKind
) -> None:
    """Every failure of the system is named by what is to be mended."""
    bench.network.will(trouble)
    failure = bench.failure()
    assert failure.kind is kind
    assert str(failure).startswith("GetMessageInsights: ")


@pytest.mark.parametrize("trouble", [trouble for trouble, _ in TROUBLES] + [NOT_FOUND, VDM_OFF])
def test_the_sdk_retries_nothing(bench: Bench, trouble: Reply | BaseException) -> None:
    """One attempt is one request: every further one would break the limit unseen."""
    bench.network.will(trouble)
    with bench.invocation(ENOUGH), suppress(SystemFailure):
        bench.ask()
    assert len(bench.network.requests) == 1


def test_a_429_without_a_code_is_a_429(bench: Bench) -> None:
    """The status alone says that SES, or a gateway before it, throttles."""
    bench.network.will(Reply(429, b'{"message": "Too Many Requests"}'))
    assert bench.failure().kind is FailureKind.SES_THROTTLED
    assert bench.calls[0].throttled


@pytest.mark.parametrize(
    "trouble",
    [
        ses_error(500, "InternalFailure", f"about {ADDRESS}"),
        ses_error(403, "ExpiredToken", f"about {ADDRESS}"),
        ses_error(429, "TooManyRequestsException", f"about {ADDRESS}"),
        ses_error(
            403,
            "AccessDeniedException",
            "User: arn:aws:sts::123456789012:assumed-role/lookup is not authorized to perform: "
            f"ses:GetMessageInsights on resource: arn:aws:ses:eu-west-1:1234:identity/{ADDRESS}",
        ),
        HTTPClientError(error=OSError(f"about {ADDRESS}")),
    ],
)
def test_a_failure_repeats_no_address(bench: Bench, trouble: Reply | BaseException) -> None:
    """What SES writes into an error may quote the mail; the text of a failure goes to the log."""
    bench.network.will(trouble)
    assert ADDRESS not in str(bench.failure())


def test_a_refusal_names_the_action(bench: Bench) -> None:
    """A missing permission is named, so that it can be granted."""
    text = "User: arn:… is not authorized to perform: ses:GetMessageInsights on resource: *"
    bench.network.will(ses_error(403, "AccessDeniedException", text))
    assert "ses:GetMessageInsights" in str(bench.failure())


def test_a_failure_keeps_its_origin(bench: Bench) -> None:
    """The error boto3 raised is the cause of ours."""
    bench.network.will(TIMED_OUT)
    assert isinstance(bench.failure().__cause__, BotoCoreError)


# After a 429


def test_a_429_is_asked_again_at_the_pace(bench: Bench) -> None:
    """A throttled look is repeated in the same invocation, a full period after the 429 came."""
    bench.network.will(THROTTLED, THROTTLED, insights())
    assert isinstance(bench.ask_alone(), Found)
    assert len(bench.network.requests) == 3
    assert bench.network.gaps == pytest.approx([PERIOD + bench.network.latency] * 2)


def test_a_429_then_a_404_is_a_404(bench: Bench) -> None:
    """After a 429, what SES says next is the answer."""
    bench.network.will(THROTTLED, NOT_FOUND)
    assert bench.ask_alone() == NotFound()


def test_only_a_429_is_asked_again(bench: Bench) -> None:
    """Whatever else fails waits at the head of the queue, even while time is left."""
    bench.network.will(Reply(503, b""), insights())
    assert bench.failure(seconds_left=PLENTY).kind is FailureKind.SES_UNAVAILABLE
    assert len(bench.network.requests) == 1


def test_a_429_then_a_failure_is_that_failure(bench: Bench) -> None:
    """The last failure is the one that is raised."""
    bench.network.will(THROTTLED, Reply(503, b""))
    assert bench.failure(seconds_left=PLENTY).kind is FailureKind.SES_UNAVAILABLE


# The first request leaves a period into the invocation, its 429 comes after the latency, and the
# next may leave a period after that.
ONE_MORE = PERIOD + 0.05 + ONE_CALL


@pytest.mark.parametrize(("seconds_left", "requests"), [(ONE_MORE + 0.01, 2), (ONE_MORE - 0.01, 1)])
def test_a_429_is_given_up_when_time_is_nearly_out(
    bench: Bench, seconds_left: float, requests: int
) -> None:
    """It is asked again only while a slow answer could still be stored and published."""
    bench.network.will(THROTTLED)
    assert bench.failure(seconds_left).kind is FailureKind.SES_THROTTLED
    assert len(bench.network.requests) == requests


def test_endless_429s_end_within_the_invocation(bench: Bench) -> None:
    """However long SES throttles, the invocation keeps the time it needs to defer the message."""
    bench.network.will(THROTTLED)
    began = bench.clock.monotonic
    bench.failure(seconds_left=30)
    assert bench.clock.monotonic - began <= 30 - STORING_NEEDS
    assert len(bench.network.requests) > 5


def test_the_deadline_is_that_of_the_present_invocation(bench: Bench) -> None:
    """Time that an earlier invocation had left is not spent by a later one."""
    bench.ask_alone(seconds_left=PLENTY)
    bench.network.will(THROTTLED)
    bench.failure(ENOUGH)
    assert len(bench.network.requests) == 2


def test_a_429_doubles_the_guard(bench: Bench) -> None:
    """SES counted two requests closer than we sent them: the next ones keep more distance."""
    bench.network.will(THROTTLED)
    bench.failure()
    assert bench.source.pace.guard == pytest.approx(2 * GUARD)


@pytest.mark.parametrize("reply", [NOT_FOUND, REFUSED, insights()])
def test_every_answer_about_the_message_is_a_good_call(bench: Bench, reply: Reply) -> None:
    """A 404 and a 400 travelled as well as a 200: the pace counts from their start."""
    bench.network.will(reply)
    with bench.invocation():
        for _ in range(4):  # one opens the connection, one shows what is usual
            bench.ask()
    assert bench.network.gaps[-1] == pytest.approx(PERIOD + GUARD)


# When time is short


@pytest.mark.parametrize(("late", "requests"), [(0.01, 0), (0, 1), (-0.01, 1)])
def test_no_call_leaves_whose_answer_could_not_be_stored(
    bench: Bench, late: float, requests: int
) -> None:
    """Where what came before it took too long, no slot is spent; the message comes back."""
    with bench.invocation(PLENTY):
        bench.clock.advance(PLENTY - LONGEST_CALL - STORING_NEEDS + late)
        with suppress(SystemFailure):
            bench.ask()
    assert len(bench.network.requests) == requests


def test_a_look_that_is_late_says_so(bench: Bench) -> None:
    """It waits for nothing, and the failure has a kind of its own: nobody knows what was slow."""
    began = bench.clock.monotonic
    failure = bench.failure(ONE_CALL - 0.01)
    assert failure.kind is FailureKind.OUT_OF_TIME
    assert str(failure) == "GetMessageInsights: not enough time left in this invocation"
    assert bench.clock.monotonic == began
    assert bench.calls == []


def test_the_wait_for_the_pace_counts_as_time(bench: Bench) -> None:
    """A call that may leave only later needs that much more."""
    bench.ask_alone()
    bench.clock.advance(0.5)
    half = PERIOD - 0.5
    assert bench.failure(half + LONGEST_CALL + STORING_NEEDS - 0.01).kind is FailureKind.OUT_OF_TIME
    assert isinstance(bench.ask_alone(half + LONGEST_CALL + STORING_NEEDS + 0.01), Found)


# The pace


def test_a_new_environment_waits_a_full_period(bench: Bench) -> None:
    """Nobody knows when the environment before it asked last."""
    began = bench.clock.monotonic
    bench.ask_alone()
    assert bench.network.departures == [pytest.approx(began + PERIOD)]


def test_calls_of_one_environment_use_every_slot(bench: Bench) -> None:
    """Under backlog a call leaves a period and the guard after the one before."""
    for _ in range(20):
        bench.ask_alone()
    assert min(bench.network.gaps) >= PERIOD
    assert bench.network.gaps[2:] == pytest.approx([PERIOD + GUARD] * 17)


def test_time_spent_elsewhere_counts_as_waiting(bench: Bench) -> None:
    """What storing and publishing take is not waited for once more."""
    for _ in range(3):
        bench.ask_alone()
    bench.clock.slept.clear()
    with bench.invocation():
        bench.clock.advance(0.9)
        bench.ask()
    assert sum(bench.clock.slept) < 0.2
    assert bench.network.gaps[-1] == pytest.approx(PERIOD + GUARD)


def test_a_sleep_that_ends_early_is_taken_up_again(bench: Bench) -> None:
    """Whatever the machine's sleep is worth, no request leaves before its time."""
    bench.source.sleep = lambda seconds: bench.clock.sleep(max(seconds / 2, 0.001))
    bench.ask_alone()
    bench.ask_alone()
    assert min(bench.network.gaps) >= PERIOD


@pytest.mark.parametrize("frozen", [PERIOD, 60, 86_400])
def test_a_thawed_environment_waits_a_full_period(bench: Bench, frozen: float) -> None:
    """A frozen environment's monotonic clock may stand still; the wall clock shows the gap."""
    bench.ask_alone()
    bench.clock.wall += frozen
    began = bench.clock.monotonic
    bench.ask_alone()
    assert bench.network.departures[-1] - began == pytest.approx(PERIOD)


def test_a_wall_clock_set_back_hides_no_gap(bench: Bench) -> None:
    """Where the wall clock was set back meanwhile, the monotonic one shows the gap."""
    bench.ask_alone()
    bench.clock.advance(30)
    bench.clock.wall -= 3600
    began = bench.clock.monotonic
    bench.ask_alone()
    assert bench.network.departures[-1] - began == pytest.approx(PERIOD)


def test_an_idle_environment_waits_again_until_it_asked(bench: Bench) -> None:
    """An invocation without a call teaches nothing of what others did."""
    with bench.invocation():
        bench.clock.advance(5)
    began = bench.clock.monotonic
    bench.ask_alone()
    assert bench.network.departures == [pytest.approx(began + PERIOD)]


@pytest.mark.parametrize(
    "trouble",
    [THROTTLED, Reply(503, b""), Reply(503, b"null"), TIMED_OUT, Killed(), OSError("odd")],
)
def test_after_trouble_the_next_call_leaves_a_period_later(
    bench: Bench, trouble: Reply | BaseException
) -> None:
    """However a call ended, the next one waits a period from its end, and not for ever."""
    bench.ask_alone()
    bench.ask_alone()
    bench.network.will(trouble, insights())
    bench.network.latency = 5
    with pytest.raises((SystemFailure, Killed, OSError)):
        bench.ask_alone(ENOUGH)
    bench.network.latency = 0.05
    bench.ask_alone()
    assert bench.network.gaps[-1] == pytest.approx(5 + PERIOD)


@pytest.mark.parametrize("trouble", [Reply(503, b""), TIMED_OUT, Killed(), OSError("odd")])
def test_after_trouble_calls_count_from_their_end(
    bench: Bench, trouble: Reply | BaseException
) -> None:
    """Nobody knows when a call that broke arrived, nor what the next one's connection costs."""
    late = PERIOD + bench.network.latency
    with bench.invocation():
        for _ in range(4):
            bench.ask()
        bench.network.will(trouble, insights())
        with suppress(SystemFailure, Killed, OSError):
            bench.ask()
        for _ in range(3):
            bench.ask()
    assert bench.network.gaps[-4:] == pytest.approx([PERIOD + GUARD, late, late, PERIOD + GUARD])


def test_an_error_that_says_nothing_is_no_throttling() -> None:
    """Only a status of 429, or the code, is."""
    assert not ses.is_throttled(ClientError({}, "GetMessageInsights"))


def test_a_call_outside_an_invocation_does_not_hang(session: boto3.Session) -> None:
    """Where no invocation began, there is no time for a call."""
    source = SesSource(
        client=session.client("sesv2", config=ses.CONFIG),
        pace=Pace(PERIOD),
        on_call=lambda _: None,
        sleep=time.sleep,
    )
    with pytest.raises(SystemFailure) as caught:
        source.ask(MESSAGE_ID)
    assert caught.value.kind is FailureKind.OUT_OF_TIME


JOURNEYS = st.tuples(
    st.sampled_from([insights(), NOT_FOUND, REFUSED, THROTTLED, VDM_OFF, Reply(503, b"")]),
    st.floats(0.001, 7, allow_nan=False),
    st.floats(0, 3, allow_nan=False),
)


@pytest.fixture(scope="module")
def benches(session: boto3.Session) -> Callable[[], Bench]:
    """Makes benches for the examples of one test."""
    return lambda: make_bench(session)


@given(st.lists(JOURNEYS, min_size=2, max_size=12))
def test_no_two_requests_leave_closer_than_the_period(
    benches: Callable[[], Bench], journeys: list[tuple[Reply, float, float]]
) -> None:
    """Whatever SES answers, however late, and however long the function is idle in between."""
    bench = benches()
    for reply, latency, idle in journeys:
        bench.network.will(reply)
        bench.network.latency = latency
        with bench.invocation(seconds_left=20), suppress(SystemFailure):
            bench.ask()
        bench.clock.advance(idle)
    # The clock is a sum of floats.
    assert min(bench.network.gaps) >= PERIOD - 1e-9


# What is announced of a call


def test_every_call_is_noted_with_its_latency(bench: Bench) -> None:
    """Latency is from departure to answer; waiting for the pace is no part of it."""
    bench.network.will(THROTTLED, insights())
    bench.network.latency = 0.2
    bench.ask_alone()
    assert [call.throttled for call in bench.calls] == [True, False]
    assert [call.seconds for call in bench.calls] == pytest.approx([0.2, 0.2])


def test_a_call_says_whether_a_gap_cost_it_a_full_period(bench: Bench) -> None:
    """A new environment's first call does, and one that comes too late; a 429 is no gap."""
    bench.network.will(THROTTLED, insights())
    bench.ask_alone()
    bench.clock.advance(0.1)
    bench.ask_alone()
    bench.clock.advance(PERIOD)
    bench.ask_alone()
    assert [call.after_gap for call in bench.calls] == [True, False, False, True]


def test_a_call_that_broke_is_noted(bench: Bench) -> None:
    """A time-out is a call, too: SES may have counted it."""
    bench.network.will(TIMED_OUT)
    bench.network.latency = 5
    bench.failure()
    assert [call.seconds for call in bench.calls] == pytest.approx([5])


def test_a_request_that_never_left_is_no_call(bench: Bench) -> None:
    """What fails before the network, as signing without credentials, costs no slot."""
    bench.ask_alone()
    bench.calls.clear()
    bench.clock.slept.clear()

    def no_credentials(**_: object) -> None:
        raise NoCredentialsError

    bench.source.client.meta.events.register("before-sign.sesv2", no_credentials)
    assert bench.failure().kind is FailureKind.CREDENTIALS
    assert bench.calls == []
    assert bench.clock.slept == []


def test_the_longest_call_is_what_its_time_outs_allow() -> None:
    """Two seconds for the connection and five for the answer: the time left is reckoned by it."""
    settings = vars(ses.CONFIG)
    assert (settings["connect_timeout"], settings["read_timeout"]) == (2, 5)


def test_a_connection_is_kept_alive() -> None:
    """A call on an open connection arrives sooner after it left, and SES counts arrivals."""
    assert vars(ses.CONFIG)["tcp_keepalive"] is True
