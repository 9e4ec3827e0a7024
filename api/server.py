"""Run the server: its lock, its port, its log, and what the terminal shows."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress

import uvicorn
from rich.console import Console

from api.app import create_app
from api.errors import CommandError
from api.logs import configure_logging
from api.progress import shown
from api.settings import Settings, reachable
from matcher.locks import hold

GRACE_S = 5
"""How long requests under way may take when the server is told to stop."""


def run(settings: Settings) -> None:
    """Serve until a signal says stop.

    Raises:
        LockError: another server is at work on this data folder.
        CommandError: the port is taken or the address is not one of this machine.
    """
    console = Console(stderr=True)
    with hold(settings.data, "serve") as lock, listen(settings.host, settings.port) as listener:
        configure_logging()
        # The port that is really used, for links in mail: 0 takes any.
        settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        address = page_address(settings.host, settings.port)
        console.print(f"Kennismatch is at {address}  (stop it with Ctrl-C)", markup=False, highlight=False)
        with shown(console) as progress:
            app = create_app(settings, lock=lock, progress=progress)
            config = uvicorn.Config(
                app,
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
            )
            # Ctrl-C is how a person ends it: uvicorn has shut down by then, and raises it again.
            with suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        CommandError: the port is taken or may not be used, or the host has no such address.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except socket.gaierror as error:
        raise CommandError(
            f"expected an address of this machine for --host, found {host!r} ({error.strerror})"
        ) from error
    except OSError as error:
        found = {
            errno.EADDRINUSE: "another program listens there: stop it, or choose another port with --port "
            "or KENNISMATCH_PORT (0 takes any that is free)",
            errno.EACCES: "this user may not use it: choose a port above 1023 with --port or KENNISMATCH_PORT",
            errno.EADDRNOTAVAIL: "this machine does not have that address: choose another with --host",
        }.get(error.errno or 0, error.strerror or "the system refused")
        raise CommandError(f"expected a free port {port} on {host}, but {found}") from error


def page_address(host: str, port: int) -> str:
    """What to type into a browser on this machine."""
    name = reachable(host)
    return f"http://{name}:{port}/"
