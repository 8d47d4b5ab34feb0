"""`roomtone serve`: the page and the JSON interface; `roomtone tokens`: who may come in."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from cli.common import ERR, OUT, print_json, settings_for
from cli.logs import LogJson, log_lines
from core.errors import OutputError, UsageError

if TYPE_CHECKING:
    from flows.worker import WorkerHandle

tokens = typer.Typer(no_args_is_help=True, help="Who may come to the page from other machines.")
_HEARS = "handle_exit"
"""The method that uvicorn's server hears signals with."""

Who = Annotated[str, typer.Argument(help="Whom the token is for.")]


def command(
    host: Annotated[
        str, typer.Option(help="Address to listen at; others than this machine need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any that is free.")] = 8765,
    host_name: Annotated[
        list[str] | None,
        typer.Option(help="A name that the page is opened by; may be given again."),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="TLS certificate (PEM), so that nobody listens in.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="No worker, watched folders or schedule: page only.")
    ] = False,
    log_json: LogJson = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the address as JSON, once it answers.")
    ] = False,
) -> None:
    """Serve the page: search as you type, hear every take raw and cleaned, have cuts cleaned.

    On this machine alone and with no login, unless --host names another address.
    """
    import uvicorn

    from flows.service import start_service
    from flows.workspace import open_workspace
    from web.access import Access, tokens_of
    from web.app import create_app
    from web.libraries import missing

    settings = settings_for()
    log_lines(as_json=log_json, level=logging.INFO if log_json else logging.WARNING)
    alone = _loopback(host)
    if (certificate is None) != (key is None):
        raise UsageError("TLS needs both --certificate and --key.")
    if not alone and not tokens_of(settings.home):
        raise UsageError(
            f"Whoever comes to {host} needs a token, and there is none yet; make one with "
            "`roomtone tokens add NAME --role editor`."
        )
    if not alone and certificate is None:
        ERR.print(
            "Note: without --certificate and --key, tokens and sound cross the network in the "
            "clear; use it only in a network that you trust."
        )
    if missing():
        ERR.print(
            f"Note: the page's libraries are missing ({', '.join(missing())}); "
            "run `make install` where the npm registry can be reached."
        )
    names = [host, socket.gethostname(), *(host_name or ())]
    with open_workspace(settings) as work:
        app = create_app(work, Access(settings.home, open_to_all=alone), names)
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            timeout_graceful_shutdown=3,
        )
        bound = _bound(host, port)
        address = f"http{'s' if certificate else ''}://{_shown(host)}:{bound.getsockname()[1]}/"
        if as_json:
            print_json({"address": address})
        else:
            OUT.print(f"roomtone is at [bold]{escape(address)}[/bold]  (Ctrl+C ends it)")
        with _ending_in_order() as over, ExitStack() as stack:
            server = uvicorn.Server(config)
            if not no_worker:
                service = start_service(settings)
                stack.callback(service.stop)
                # Work is given back while the page sends its last answers, not after.
                setattr(server, _HEARS, _asking(service, server.handle_exit))
            server.run(sockets=[bound])
    if over.is_set():
        signal.raise_signal(signal.SIGTERM)


def _asking(
    service: WorkerHandle, handle_exit: Callable[[int, Any], None]
) -> Callable[[int, Any], None]:
    """Lets a service end, too, when the server is asked to."""

    def asked(number: int, frame: Any) -> None:
        service.ask()
        handle_exit(number, frame)

    return asked


@contextmanager
def _ending_in_order() -> Iterator[threading.Event]:
    """Lets the block end where the process is asked to; the event says that it was.

    The server stops when it hears the signal, and then raises it again for us.
    """
    over = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: over.set())
    try:
        yield over
    finally:
        signal.signal(signal.SIGTERM, before)


@tokens.command("add")
def add(
    name: Who,
    role: Annotated[
        Literal["viewer", "editor", "admin"], typer.Option(help="What they may do.")
    ] = "viewer",
) -> None:
    """Make a token; it is shown this once."""
    from web.access import Role, add_token

    token = add_token(settings_for().home, name, Role[role.upper()])
    ERR.print(f"The token of {escape(name)} ({role}), which is not shown again:")
    OUT.print(token, markup=False)


@tokens.command("list")
def listed(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Whom there are tokens for."""
    from web.access import tokens_of

    found = tokens_of(settings_for().home)
    if as_json:
        print_json([{"name": t.name, "role": t.role.name.lower()} for t in found])
        return
    if not found:
        OUT.print("There are no tokens; `roomtone tokens add NAME` makes one.")
    for token in found:
        day = datetime.fromtimestamp(token.created, UTC).date()
        OUT.print(f"{escape(token.name):<20} {token.role.name.lower():<8} since {day}")


@tokens.command("remove")
def remove(name: Who) -> None:
    """Take a token back; whoever is logged in with it is out."""
    from web.access import remove_token

    remove_token(settings_for().home, name)
    OUT.print(f"The token of {escape(name)} is gone.")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises OutputError where the address can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        # Who asks before the server is there waits instead of being refused.
        bound.listen()
    except OSError as fault:
        bound.close()
        raise OutputError(
            f"{host} port {port} can't be used ({fault.strerror}); choose another --port."
        ) from fault
    return bound
