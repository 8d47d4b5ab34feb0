"""The options that every search has."""

from __future__ import annotations

import typer
from typer.testing import CliRunner

from cli.asked import filtered
from core.filters import Filters


def heard_by(command_line: list[str] | None) -> Filters:
    """The filters that a command gets from a command line, or called from Python without any."""
    told: list[Filters] = []

    @filtered
    def command(filters: Filters = Filters()) -> None:
        told.append(filters)

    if command_line is None:
        command()
    else:
        app = typer.Typer()
        app.command()(command)
        assert CliRunner().invoke(app, command_line).exit_code == 0
    return told[0]


def test_a_command_called_from_python_leaves_out_what_it_does_not_ask() -> None:
    assert heard_by(None) == Filters()


def test_what_is_asked_on_the_command_line_reaches_the_command() -> None:
    asked = heard_by(["--scene", "27B", "--speaker", "REN", "--circled"])
    assert (asked.scene, asked.speaker, asked.circled) == ("27B", "REN", True)
