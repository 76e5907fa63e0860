"""Serving the page on loopback until Ctrl-C."""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from ses_insights.cli.errors import WrongUsageError
from ses_insights.cli.web.app import Site, make_app
from ses_insights.cli.web.reading import SharedDeployment
from ses_insights.cli.web.security import HOST, Session


def listen(port: int) -> socket.socket:
    """Open the port on loopback, and on nothing else. Raises `WrongUsageError`."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise WrongUsageError(
            f"Port {port} cannot be used ({error.strerror}): another run may have it; name one "
            "with --port, or 0 for any that is free."
        ) from error


def serve(
    deployment: SharedDeployment,
    listener: socket.socket,
    *,
    read_only: bool,
    on_ready: Callable[[str], None],
) -> None:
    """Serve until Ctrl-C; `on_ready` gets the first address."""
    session = Session(listener.getsockname()[1])
    # Read now, so that a stack which cannot be read is said here, and not by the first page.
    _ = deployment.settings
    app = make_app(Site(deployment, session, read_only))
    config = uvicorn.Config(
        app,
        access_log=False,  # addresses of pages hold those of people
        log_level="error",
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    on_ready(session.first_address)
    with listener, suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def open_browser(address: str) -> None:
    """Open the address; in the background, because some browsers are waited for."""
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
