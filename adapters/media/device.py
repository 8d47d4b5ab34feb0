"""The sound device of this machine, behind as much of it as playing needs."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import OutputError


class Device(Protocol):
    """Plays one sound at a time."""

    def start(self, sound: NDArray[np.float32], sample_rate: int) -> None:
        """Play a mono sound from now on, in place of what plays; gives back at once."""

    def playing(self) -> bool:
        """Whether the sound goes on."""

    def stop(self) -> None:
        """Be silent."""


def open_device() -> Device:
    """The device that this machine plays on by default.

    Raises OutputError where there is none, or what drives it is not installed.
    """
    try:
        import sounddevice
    except ImportError as fault:
        raise OutputError(
            "Nothing can be played without the package sounddevice: pip install sounddevice."
        ) from fault
    except OSError as fault:
        raise OutputError(
            f"Nothing can be played ({fault}): install PortAudio (on Debian and Ubuntu "
            "apt install libportaudio2)."
        ) from fault
    try:
        sounddevice.query_devices(kind="output")
    except (sounddevice.PortAudioError, ValueError) as fault:
        raise OutputError(
            "Nothing can be played: this machine has no sound device; listen on the page "
            "(roomtone serve)."
        ) from fault
    return _SoundDevice(sounddevice)


class _SoundDevice:
    """PortAudio, by the module sounddevice."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def start(self, sound: NDArray[np.float32], sample_rate: int) -> None:
        try:
            self._driver.play(sound, sample_rate)
        except self._driver.PortAudioError as fault:
            raise OutputError(
                f"The sound device plays nothing at {sample_rate} Hz ({fault}); choose another in "
                "the system's settings."
            ) from fault

    def playing(self) -> bool:
        return bool(self._driver.get_stream().active)

    def stop(self) -> None:
        self._driver.stop()
