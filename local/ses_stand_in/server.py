"""The HTTP server around the account: SES's operations, and the control API."""

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from random import Random
from typing import Any
from uuid import uuid4

from aiohttp import web

from local.ses_stand_in.account import Account
from local.ses_stand_in.clock import Clock
from local.ses_stand_in.mail import Mail
from local.ses_stand_in.settings import FaultKind, Operation, SettingsError
from local.ses_stand_in.wire import (
    NO_SUCH_OPERATION,
    NO_TOKEN,
    Refusal,
    ShapeError,
    bad_request,
    encode,
    read_query,
    signed_for_ses,
)

CONTROL = "/_stand_in"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The handlers."""

    account: Account
    random: Random
    clock: Clock

    def app(self) -> web.Application:
        """All routes."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/v2/email/insights/{message_id:(?s:.*)}/", self._get_message_insights),
                web.post("/v2/email/outbound-emails", self._send_email),
                web.get("/v2/email/suppression/addresses", self._list_suppressed_destinations),
                web.get(
                    "/v2/email/suppression/addresses/{address:(?s:.+)}",
                    self._get_suppressed_destination,
                ),
                web.delete(
                    "/v2/email/suppression/addresses/{address:(?s:.+)}",
                    self._delete_suppressed_destination,
                ),
                web.get("/v2/email/account", self._get_account),
                web.get(f"{CONTROL}/settings", self._settings),
                web.put(f"{CONTROL}/settings", self._change_settings),
                web.get(f"{CONTROL}/report/{{operation}}", self._report),
                web.get(f"{CONTROL}/calls/{{operation}}", self._calls),
                web.delete(f"{CONTROL}/calls", self._forget_calls),
                web.get(f"{CONTROL}/sent", self._sent),
                web.post(f"{CONTROL}/advance", self._advance),
                web.post(f"{CONTROL}/finish", self._finish),
                web.post(f"{CONTROL}/reset", self._reset),
                web.route("*", "/{path:(?s:.*)}", self._unknown),
            ]
        )
        return app

    async def _get_message_insights(self, request: web.Request) -> web.Response:
        message_id = request.match_info["message_id"]
        return await self._serve(request, Operation.GET_MESSAGE_INSIGHTS, {"MessageId": message_id})

    async def _list_suppressed_destinations(self, request: web.Request) -> web.Response:
        operation = Operation.LIST_SUPPRESSED_DESTINATIONS
        try:
            parameters = read_query(operation, request.query)
        except ShapeError as error:
            return _refuse(bad_request(str(error)))
        return await self._serve(request, operation, parameters)

    async def _get_suppressed_destination(self, request: web.Request) -> web.Response:
        address = request.match_info["address"]
        return await self._serve(
            request, Operation.GET_SUPPRESSED_DESTINATION, {"EmailAddress": address}
        )

    async def _get_account(self, request: web.Request) -> web.Response:
        return await self._serve(request, Operation.GET_ACCOUNT, {})

    async def _serve(
        self, request: web.Request, operation: Operation, parameters: Mapping[str, Any]
    ) -> web.Response:
        await self._pause(self.account.settings.travel_ms)
        arrival, now = self.clock.monotonic(), self.clock.now()
        if not _signed(request):
            return _refuse(NO_TOKEN)
        call = self.account.arrive(
            operation,
            arrival=arrival,
            message_id=parameters.get("MessageId", ""),
            address=parameters.get("EmailAddress", ""),
        )
        if call.fault is FaultKind.RESET:
            return _cut(request)
        if call.fault is FaultKind.HANG:
            await asyncio.Event().wait()
        answer = self.account.answer(call, parameters, now=now)
        response = (
            _refuse(answer)
            if isinstance(answer, Refusal)
            else _respond(200, encode(operation, answer))
        )
        await self._pause(self.account.settings.latency_ms)
        call.status = response.status
        return response

    async def _delete_suppressed_destination(self, request: web.Request) -> web.Response:
        if not _signed(request):
            return _refuse(NO_TOKEN)
        gone = self.account.unlist(request.match_info["address"], now=self.clock.now())
        if isinstance(gone, Refusal):
            return _refuse(gone)
        return _respond(200, encode("DeleteSuppressedDestination", gone))

    async def _send_email(self, request: web.Request) -> web.Response:
        if not _signed(request):
            return _refuse(NO_TOKEN)
        body = await _json_object(request)
        if body is None:
            return _refuse(bad_request("The body is not a JSON object"))
        sent = self.account.send(body, now=self.clock.now(), unique=uuid4())
        if isinstance(sent, Refusal):
            return _refuse(sent)
        return _respond(200, encode("SendEmail", {"MessageId": sent.message_id}))

    async def _unknown(self, _request: web.Request) -> web.Response:
        return _refuse(NO_SUCH_OPERATION)

    async def _settings(self, _request: web.Request) -> web.Response:
        return web.json_response(self.account.settings.as_json())

    async def _change_settings(self, request: web.Request) -> web.Response:
        body = await _json_object(request)
        if body is None:
            return web.json_response({"message": "The body is not a JSON object"}, status=400)
        try:
            settings = self.account.settings.changed(body)
        except SettingsError as error:
            return web.json_response({"message": str(error)}, status=400)
        self.account.change(settings, now=self.clock.now())
        return web.json_response(self.account.settings.as_json())

    async def _report(self, request: web.Request) -> web.Response:
        operation = Operation(request.match_info["operation"])
        return web.json_response(asdict(self.account.report(operation)))

    async def _calls(self, request: web.Request) -> web.Response:
        operation = Operation(request.match_info["operation"])
        return web.json_response([asdict(call) for call in self.account.calls_of(operation)])

    async def _forget_calls(self, _request: web.Request) -> web.Response:
        self.account.forget_calls()
        return web.json_response({})

    async def _sent(self, _request: web.Request) -> web.Response:
        return web.json_response([_as_json(mail) for mail in self.account.mails.values()])

    async def _advance(self, request: web.Request) -> web.Response:
        self.account.advance(timedelta(seconds=await request.json()), now=self.clock.now())
        return web.json_response({})

    async def _finish(self, request: web.Request) -> web.Response:
        self.account.finish(await request.json(), now=self.clock.now())
        return web.json_response({})

    async def _reset(self, _request: web.Request) -> web.Response:
        self.account.reset()
        return web.json_response({})

    async def _pause(self, milliseconds: tuple[float, float]) -> None:
        if any(milliseconds):
            await self.clock.sleep(self.random.uniform(*milliseconds) / 1000)


def _signed(request: web.Request) -> bool:
    return signed_for_ses(request.headers.get("Authorization", ""))


async def _json_object(request: web.Request) -> dict[str, Any] | None:
    with suppress(ValueError):
        body = json.loads(await request.read())
        if isinstance(body, dict):
            return body
    return None


def _refuse(refusal: Refusal) -> web.Response:
    return _respond(refusal.status, refusal.body, {"x-amzn-ErrorType": refusal.code})


def _respond(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status,
        body=body,
        content_type="application/json",
        headers={"x-amzn-RequestId": str(uuid4()), **(headers or {})},
    )


def _cut(request: web.Request) -> web.Response:
    """Reset the connection. What is returned goes nowhere."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        request.transport.abort()
    return web.Response()


def _as_json(mail: Mail) -> dict[str, Any]:
    return {
        "message_id": mail.message_id,
        "story": mail.story.name,
        "sentence": mail.story.sentence,
        "recipients": mail.recipients,
        "sent_at": mail.sent_at.isoformat(),
        "settled_at": mail.settled_at.isoformat(),
        "expected": asdict(mail.story.expected),
    }
