"""The routes, put together: each reads what its page shows and fills in a template."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, wraps
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from ses_insights.adapters.queue import SqsProducerQueue
from ses_insights.cli.commands import alerts as alerts_command
from ses_insights.cli.commands import export
from ses_insights.cli.deployment import now as present
from ses_insights.cli.errors import (
    EXPECTED,
    NOTHING,
    USAGE,
    NothingFoundError,
    WrongUsageError,
    exit_code,
    sentence,
)
from ses_insights.cli.output import clean, counted, echo_err, span
from ses_insights.cli.web import alerts, message, overview, parked, search, words
from ses_insights.cli.web.paging import Listing
from ses_insights.cli.web.reading import SharedDeployment
from ses_insights.cli.web.security import Guard, Session, form_of
from ses_insights.contracts.queue_message import BodyError, read_body
from ses_insights.contracts.rows import Row
from ses_insights.domain.reasons import Reason, Severity
from ses_insights.domain.status import Status
from ses_insights.domain.times import instant, iso

HERE: Final = Path(__file__).parent

MOST_IN_CSV: Final = 10_000
"""Rows of a download: a page is for looking, `insights export` and the table for everything."""

REFRESH: Final = 30
"""Seconds after which a page that moves is read again."""
REFRESH_WHILE_WAITING: Final = 3

_CODES: Final = {NOTHING: 404, USAGE: 400}
_NAV: Final = {"/": "Overview", "/search": "Search", "/alerts": "Alerts", "/parked": "Parked"}


@dataclass(frozen=True)
class Site:
    """What every page needs."""

    deployment: SharedDeployment
    session: Session
    read_only: bool = False
    now: Callable[[], datetime] = present

    @cached_property
    def templates(self) -> Environment:
        """The templates; everything in them is escaped."""
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {
            "clean": clean,
            "tone": words.tone,
            "phrase": words.phrase,
            "minute": words.to_the_minute,
            "second": words.to_the_second,
            "span": span,
            "counted": counted,
            "path": lambda text: quote(str(text), safe=""),
        }
        return environment

    def page(self, request: Request, name: str, status: int = 200, **values: Any) -> Response:
        """Fill a template in."""
        now = self.now()
        text = self.templates.get_template(name).render(
            values
            | {
                "nav": _NAV.items(),
                "path_now": request.url.path,
                "stack": self.deployment.stack,
                "region": self.deployment.region,
                "read_only": self.read_only,
                "form_token": self.session.form_token,
                "now": now,
                "ago": lambda moment: words.relative(moment, now),
                "refresh": values.get("refresh", 0),
                "typed": values.get("typed", ""),
            }
        )
        return HTMLResponse(text, status)

    def problem(self, request: Request, error: BaseException) -> Response:
        """Show in one sentence what is wrong and what to do."""
        status = _CODES.get(exit_code(error), 502)
        return self.page(
            request,
            "problem.html",
            status,
            sentence=sentence(error),
            is_usage=status == _CODES[USAGE],
            typed=request.query_params.get("q", ""),
        )


Show = Callable[[Site, Request], Response]
Act = Callable[[Site, Request, Mapping[str, str]], Response]


def make_app(site: Site, log: Callable[[str], None] = echo_err) -> ASGIApp:
    """Put the routes together. With `read_only` there is no route that writes.

    What fails unexpectedly is said to `log`, in a line without anything of the mail.
    """
    reads: list[tuple[str, Show]] = [
        ("/", show_overview),
        ("/overview.csv", overview_csv),
        ("/search", show_search),
        ("/search.csv", search_csv),
        ("/message/{id}", show_message),
        ("/alerts", show_alerts),
        ("/alerts.csv", alerts_csv),
        ("/parked", show_parked),
        ("/parked.csv", parked_csv),
    ]
    writes: list[tuple[str, Act]] = [
        ("/message/{id}/look", look_again),
        ("/parked/redrive", redrive),
        ("/parked/drop", drop),
    ]
    routes: list[Route | Mount] = [
        Route(path, _reading(site, show), methods=["GET"]) for path, show in reads
    ]
    if not site.read_only:
        routes += [Route("/parked/drop", _reading(site, confirm_drop), methods=["GET"])]
        routes += [Route(path, _writing(site, act), methods=["POST"]) for path, act in writes]
    routes.append(Mount("/static", StaticFiles(directory=HERE / "static")))

    def not_found(request: Request, _: Exception) -> Response:
        return site.problem(request, NothingFoundError("There is no page at this address."))

    app = Starlette(routes=routes, exception_handlers={404: not_found})
    return Guard(app, site.session, log)


def _reading(site: Site, show: Show) -> Callable[[Request], Response]:
    @wraps(show)
    def endpoint(request: Request) -> Response:
        try:
            return show(site, request)
        except EXPECTED as error:
            return site.problem(request, error)

    return endpoint


def _writing(site: Site, act: Act) -> Callable[[Request], Any]:
    def write(request: Request, form: Mapping[str, str]) -> Response:
        try:
            return act(site, request, form)
        except EXPECTED as error:
            return site.problem(request, error)

    @wraps(act)
    async def endpoint(request: Request) -> Response:
        form = await form_of(request, site.session)
        if form is None:
            error = WrongUsageError("This form is not of this run: load its page again.")
            answer = site.problem(request, error)
            answer.status_code = 403
            return answer
        return await run_in_threadpool(write, request, form)

    return endpoint


# Overview


def show_overview(site: Site, request: Request) -> Response:
    """Show how the service is, and what happened in the last days."""
    now = site.now()
    found = overview.gather(site.deployment, now)
    tone, verdict = overview.verdict(found)
    return site.page(
        request,
        "overview.html",
        found=found,
        verdict=verdict,
        verdict_tone=tone,
        is_summary=alerts.is_summary,
        events_of=alerts.events_of,
        iso=iso,
        refresh=REFRESH,
    )


def overview_csv(site: Site, request: Request) -> Response:
    """Write the figures of a chart."""
    found = overview.gather(site.deployment, site.now())
    what = request.query_params.get("of", "mails")
    if what not in {"mails", "alerts"}:
        raise WrongUsageError("Use of=mails or of=alerts.")
    chart = found.mails if what == "mails" else found.alerts
    rows = [
        {"Day": day.isoformat()} | {each.key: each.values[place] for each in chart.series}
        for place, day in enumerate(chart.days)
    ]
    return _csv(what, ["Day", *(each.key for each in chart.series)], rows)


# Search


def show_search(site: Site, request: Request) -> Response:
    """Show recipients, or go to the message that was asked for."""
    query = request.query_params
    asked = _searched(site, request)
    if asked.message_id:
        return RedirectResponse(f"/message/{quote(asked.message_id, safe='')}", 303)
    found = None
    if not (asked.is_empty or asked.has_no_index):
        found = search.find(site.deployment, asked, query.get("place"))
    return site.page(
        request,
        "search.html",
        asked=asked,
        found=found,
        statuses=list(Status),
        typed=asked.text,
        older=_with(request, place=found.page.following) if found else "",
        newest=_with(request, place=None) if query.get("place") else "",
        csv=_with(request, "/search.csv", place=None),
    )


def search_csv(site: Site, request: Request) -> Response:
    """Write the results, from the newest on."""
    asked = _searched(site, request)
    if asked.is_empty or asked.message_id or asked.has_no_index:
        raise WrongUsageError("Search for an address or for a status that has recipients.")
    rows = _first(search.listing(asked), site.deployment)
    return _csv("mails", export.COLUMNS, map(export.flat, rows))


def _searched(site: Site, request: Request) -> search.Asked:
    query = request.query_params
    return search.read(
        query.get("q", ""), query.get("status", ""), query.get("day", ""), site.now().date()
    )


# One message


def show_message(site: Site, request: Request) -> Response:
    """Show everything that is known of a message."""
    message_id, now = _id_of(request), site.now()
    found = message.read(site.deployment, message_id, now)
    asked = _instant_or_none(request.query_params.get("asked"))
    is_waiting = (
        asked is not None
        and now - instant(asked) < message.RECENT
        and not (isinstance(found, message.MessageView) and found.is_answered(asked))
    )
    values: dict[str, Any] = {
        "message_id": message_id,
        "asked": asked,
        "by": _instant_or_none(request.query_params.get("by")),
        "is_waiting": is_waiting,
        "typed": message_id,
        "refresh": REFRESH_WHILE_WAITING if is_waiting else 0,
    }
    if isinstance(found, message.Unknown):
        return site.page(request, "no_message.html", 404, listed=found.listed, **values)
    return site.page(request, "message.html", found=found, after=words.after, **values)


def look_again(site: Site, request: Request, _: Mapping[str, str]) -> Response:
    """Enqueue a message's id, so that it is looked at even where nothing new is expected."""
    message_id, now = _id_of(request), site.now()
    depth = SqsProducerQueue(site.deployment.sqs, site.deployment.queue_url).depth()
    waiting = depth.visible + depth.delayed + depth.in_flight
    done = message.look_again(site.deployment, message_id, waiting, now)
    if done.refused:
        raise NothingFoundError(f"The queue refused the id: {done.refused}")
    asked = urlencode({"asked": iso(now), "by": done.by})
    return RedirectResponse(f"/message/{quote(message_id, safe='')}?{asked}", 303)


def _id_of(request: Request) -> str:
    try:
        return read_body(request.path_params["id"]).message_id
    except BodyError as error:
        raise WrongUsageError(f"This cannot be looked up: {error}.") from None


def _instant_or_none(text: str | None) -> str | None:
    try:
        return iso(instant(text)) if text else None
    except ValueError:
        return None


# Alerts


def show_alerts(site: Site, request: Request) -> Response:
    """Show alerts and summaries."""
    query = request.query_params
    wanted = alerts.read(query, site.now())
    found = wanted.listing.page(site.deployment, query.get("place"))
    return site.page(
        request,
        "alerts.html",
        wanted=wanted,
        rows=[alerts_command.with_reason(row) for row in found.rows],
        found=found,
        types=alerts_command.TYPES,
        reasons=list(Reason),
        severities=list(Severity),
        is_summary=alerts.is_summary,
        events_of=alerts.events_of,
        explanation_of=alerts.explanation_of,
        diagnostic_of=alerts.diagnostic_of,
        older=_with(request, place=found.following),
        newest=_with(request, place=None) if query.get("place") else "",
        csv=_with(request, "/alerts.csv", place=None),
    )


def alerts_csv(site: Site, request: Request) -> Response:
    """Write the alerts, from the newest on."""
    wanted = alerts.read(request.query_params, site.now())
    rows = map(alerts_command.with_reason, _first(wanted.listing, site.deployment))
    text = io.StringIO(newline="")
    alerts_command.write_csv(rows, text)
    return _download("alerts", text.getvalue())


# Parked


def show_parked(site: Site, request: Request) -> Response:
    """Show what is parked."""
    reason = request.query_params.get("reason") or None
    done = {name: request.query_params.get(name, "") for name in ("redriven", "dropped")}
    return site.page(
        request,
        "parked.html",
        found=parked.read(site.deployment, reason),
        reason=reason,
        done={name: int(number) for name, number in done.items() if number.isdecimal()},
        most=parked.AT_ONCE,
        csv=_with(request, "/parked.csv", redriven=None, dropped=None),
    )


def parked_csv(site: Site, request: Request) -> Response:
    """Write what SQS shows."""
    found = parked.read(site.deployment, request.query_params.get("reason") or None)
    rows = [
        {
            "ParkedAt": each.parked_at,
            "Reason": each.reason,
            "Body": each.body,
            "MessageGroupId": each.group,
        }
        for each in found.messages
    ]
    return _csv("parked", parked.COLUMNS, rows)


def confirm_drop(site: Site, request: Request) -> Response:
    """Ask before anything is deleted."""
    reason = request.query_params.get("reason") or None
    found = parked.read(site.deployment, reason)
    return site.page(request, "confirm.html", found=found, reason=reason, most=parked.AT_ONCE)


def redrive(site: Site, _: Request, form: Mapping[str, str]) -> Response:
    """Send parked messages back to the queue."""
    letters = parked.letters_of(site.deployment)
    number = parked.take(letters.redrive(form.get("reason") or None))
    return RedirectResponse(f"/parked?{urlencode({'redriven': number})}", 303)


def drop(site: Site, _: Request, form: Mapping[str, str]) -> Response:
    """Delete parked messages for good, where that was confirmed."""
    if form.get("confirmed") != "yes":
        raise WrongUsageError("Deleting has to be confirmed: use the page that asks.")
    letters = parked.letters_of(site.deployment)
    number = parked.take(letters.drop(form.get("reason") or None))
    return RedirectResponse(f"/parked?{urlencode({'dropped': number})}", 303)


# Addresses and downloads


def _with(request: Request, path: str = "", **changes: str | None) -> str:
    """Write the address of the page that is shown, with some of its query changed."""
    query = {name: value for name, value in request.query_params.items() if value} | changes
    kept = {name: value for name, value in query.items() if value is not None}
    return f"{path or request.url.path}?{urlencode(kept)}" if kept else path or request.url.path


def _first(listing: Listing, deployment: SharedDeployment) -> Iterator[Row]:
    return islice(listing.all(deployment), MOST_IN_CSV)


def _csv(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Response:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for row in rows:
        writer.writerow({column: export.harmless(value) for column, value in row.items()})
    return _download(name, text.getvalue())


def _download(name: str, text: str) -> Response:
    return Response(
        text,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
