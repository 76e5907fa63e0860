"""AWS as the pages read it: one client a service for the whole run, and calls side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
from botocore.config import Config

from ses_insights.cli.deployment import CONFIG, Deployment

AT_ONCE: Final = 8
"""Calls of a page that are under way together."""

_CONFIG: Final = CONFIG.merge(Config(max_pool_connections=2 * AT_ONCE))


@dataclass(frozen=True)
class SharedDeployment(Deployment):
    """A deployment that several requests read at once: making a client takes long, and a lock."""

    clients: dict[str, Any] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, found: Deployment) -> SharedDeployment:
        """Share what was found."""
        return cls(found.session, found.stack, found.outputs)

    def client(self, name: str) -> Any:
        """Return the client of an AWS service."""
        with self.lock:
            if name not in self.clients:
                session: boto3.Session = self.session
                self.clients[name] = session.client(name, config=_CONFIG)  # type: ignore[call-overload] # any of them
            return self.clients[name]


def together(**calls: Callable[[], Any]) -> dict[str, Any]:
    """Make calls side by side, and return what each gives. Raises what the first to fail raises."""
    if len(calls) == 1:
        return {name: call() for name, call in calls.items()}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {name: pool.submit(call) for name, call in calls.items()}
        return {name: future.result() for name, future in futures.items()}
