"""Faults a person can cause or mend: one sentence each, and the exit code it ends with.

The seven exit codes of the command line (0 is success):

1  an internal fault (a bug): a traceback is written to the log
2  wrong usage or settings
3  an input can't be read: a cut, a media file, an archive
4  media are offline: nothing of the cut could be found
5  an engine or its weights are missing
6  the output can't be written: permission, space, or it would overwrite an input
7  a check that was asked for failed: something is out of sync or not as it should be; a night
   left something undone
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended, for the shell and for programs that call it."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    INPUT = 3
    OFFLINE = 4
    ENGINE = 5
    OUTPUT = 6
    CHECK = 7


class RoomtoneError(Exception):
    """A fault told in one sentence that names the file and the remedy."""

    exit_code: ExitCode = ExitCode.INTERNAL


class UsageError(RoomtoneError):
    """Options or settings that do not fit together."""

    exit_code = ExitCode.USAGE


class InputError(RoomtoneError):
    """A cut, media file or folder that can't be read as what it claims to be."""

    exit_code = ExitCode.INPUT


class OfflineError(RoomtoneError):
    """No media of the cut could be found."""

    exit_code = ExitCode.OFFLINE


class EngineError(RoomtoneError):
    """An engine, or the weights it needs, is missing or is not what it should be."""

    exit_code = ExitCode.ENGINE


class OutputError(RoomtoneError):
    """The output can't be written where it was asked for."""

    exit_code = ExitCode.OUTPUT


class PassingError(OutputError):
    """Something is away, or in another's use: it may be there at another try."""
