"""Sound in blocks: any file as one that libsndfile reads, at any rate, from any sample."""

from __future__ import annotations

import hashlib
import subprocess
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from adapters.media.confined import StuckError, describe, save
from adapters.media.containers import FORMATS
from adapters.media.probe import OGG, SOUND_FORMATS
from adapters.media.shape import Shape
from adapters.media.whole import whole_file
from core.errors import InputError
from core.media import MediaFile
from core.time import round_half_up

MOST_OPEN = 64
"""Sound files that are held open at once: far below what any system allows a process."""

_BLOCK = 1 << 16
_FFMPEG_SECONDS = 3600


class Sound:
    """A sound file that is open for reading; a context manager. Not to be shared by threads.

    sample_rate: Hz. channels: how many. frames: samples a channel. subtype: libsndfile's name.
    """

    def __init__(self, path: Path) -> None:
        """Open a file that libsndfile reads. Raises InputError where it can't."""
        import soundfile as sf

        self.path = path
        try:
            self._file = sf.SoundFile(str(path))
        except (sf.LibsndfileError, OSError) as fault:
            raise InputError(f"{path} can't be read as sound ({fault}): copy it again.") from fault
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.frames: int = self._file.frames
        self.subtype: str = self._file.subtype
        self._at = 0

    def __enter__(self) -> Sound:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, start: int, frames: int, channels: Sequence[int]) -> NDArray[np.float64]:
        """Samples start … start + frames of some channels: shape (frames, len(channels)).

        Full scale is 1.0, exact for PCM up to 32 bit and for float32; zeros before the file
        starts and after it ends. Raises InputError for a channel the file does not have (they
        are counted from 0) and where the file ends before its header says.
        """
        if any(not 0 <= channel < self.channels for channel in channels):
            raise InputError(
                f"{self.path} has {self.channels} channel(s), not channel {max(channels) + 1}: "
                "correct the channel in the cut."
            )
        out = np.zeros((frames, len(channels)))
        first, last = max(start, 0), min(start + frames, self.frames)
        if first < last:
            out[first - start : last - start] = self._inside(first, last - first)[:, list(channels)]
        return out

    def _inside(self, start: int, frames: int) -> NDArray[np.float64]:
        import soundfile as sf

        try:
            if start != self._at:
                self._file.seek(start)
            block: NDArray[np.float64] = self._file.read(frames, dtype="float64", always_2d=True)
        except sf.LibsndfileError as fault:
            raise InputError(f"{self.path} is damaged ({fault}): copy it again.") from fault
        self._at = start + len(block)
        if len(block) != frames:
            raise InputError(f"{self.path} is cut short: copy it again from the original.")
        return block


class OpenSounds:
    """Sound files that are read again and again, few of them open at once; a context manager.

    Not to be shared by threads.
    """

    def __init__(self, here: Callable[[Path], Path] = Path, most: int = MOST_OPEN) -> None:
        """here: where a file can be read, asked each time before it is opened.

        most: files that are open at once; the one not read for longest is closed first.
        """
        self._here, self._most = here, most
        self._open: OrderedDict[Path, Sound] = OrderedDict()

    def __enter__(self) -> OpenSounds:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    def read(
        self, path: Path, start: int, frames: int, channels: Sequence[int]
    ) -> NDArray[np.float64]:
        """Samples of a file, as `Sound.read` gives them. Raises InputError."""
        return self._opened(path).read(start, frames, channels)

    def frames(self, path: Path) -> int:
        """How many samples a channel of a file has. Raises InputError."""
        return self._opened(path).frames

    def _opened(self, path: Path) -> Sound:
        sound = self._open.pop(path, None)
        if sound is None:
            while len(self._open) >= self._most:
                self._open.popitem(last=False)[1].close()
            sound = Sound(self._here(path))
        self._open[path] = sound
        return sound


def blocks(
    path: Path, channels: Sequence[int], block: int = _BLOCK
) -> Iterator[NDArray[np.float64]]:
    """A whole file in blocks of shape (up to `block`, len(channels)), as Sound.read gives them."""
    with Sound(path) as sound:
        for start in range(0, sound.frames, block):
            yield sound.read(start, min(block, sound.frames - start), channels)


def sound_file(media: MediaFile, cache: Path) -> Path:
    """A path that libsndfile reads, with the very samples of the media file.

    That is media.path itself, or for a container a WAV extracted once into the cache folder,
    whole or not at all, with media.frames samples a channel. Raises InputError where the
    container can't be decoded or is not what was probed, OutputError where the cache is full.
    """
    if media.container in SOUND_FORMATS:
        return media.path
    identity = f"{media.path.absolute()}\n{media.size}\n{media.mtime_ns}\n{media.frames}"
    final = cache / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.wav"
    if final.exists():
        return final
    if media.container == OGG and media.subtype.isupper():
        sound, subtype = None, "FLOAT"
        with Sound(media.path) as ogg:
            found = (ogg.sample_rate, ogg.channels, ogg.frames)
    else:
        sound = describe(media.path)
        subtype = sound.subtype
        found = (sound.sample_rate, sound.channels, sound.frames)
    if found != (media.sample_rate, media.channels, media.frames):
        raise InputError(f"{media.path} has changed since it was first seen: run again.")
    shape = Shape(final, *found, subtype)
    with whole_file(final, shape.check) as temporary:
        try:
            if sound is None:
                shape.save(temporary, blocks(media.path, range(media.channels)))
            else:
                save(media.path, sound, temporary)
        except StuckError:
            raise
        except InputError:
            temporary.unlink(missing_ok=True)
            if not _ffmpeg(media, temporary):
                raise
    return final


def at_rate(path: Path, sample_rate: int, cache: Path, key: str) -> Path:
    """The sound at a sample rate: the path itself where that is its rate already.

    Otherwise a 32-bit float WAV in the cache folder, named after the key (the essence, as a rule)
    and the rate, made once by soxr (VHQ, linear phase) with no lag; its length is the old one
    times the ratio of rates, rounded half up. Raises InputError and OutputError.
    """
    with Sound(path) as sound:
        if sound.sample_rate == sample_rate:
            return path
        frames = round_half_up(Fraction(sound.frames * sample_rate, sound.sample_rate))
        rates, every = (sound.sample_rate, sample_rate), range(sound.channels)
        return kept(
            cache, key, sample_rate, sound.channels, frames, _resampled(sound, rates, every, frames)
        )


def at_speed(
    path: Path, sample_rate: int, speed: Fraction, channels: Sequence[int], cache: Path, key: str
) -> Path:
    """Some channels of a sound as they are at a speed, the pitch following, at a sample rate.

    speed: how much faster it plays, more than 0; position n of the file is heard at n / speed,
    without lag (within a twentieth of a sample after two hours where the ratio of rates has no
    small terms), and its length becomes that, rounded half up. A 32-bit float WAV in the cache
    folder, made once by soxr (VHQ, linear phase). key: names the file's sound. Raises InputError
    and OutputError.
    """
    with Sound(path) as sound:
        ratio = sound.sample_rate * speed / sample_rate
        frames = round_half_up(sound.frames / ratio)
        rates = (ratio.numerator, ratio.denominator)
        name = f"{key}\n{list(channels)}\nspeed {speed}"
        samples = _resampled(sound, rates, channels, frames)
        return kept(cache, name, sample_rate, len(channels), frames, samples)


def kept(
    cache: Path,
    key: str,
    sample_rate: int,
    channels: int,
    frames: int,
    samples: Iterator[NDArray[np.float64]],
) -> Path:
    """A 32-bit float WAV in the cache folder, made from blocks where it is not there yet.

    key: names the sound; with the sample rate it gives the file's name. samples: blocks of shape
    (n, channels), `frames` in all; not touched where the file is there. Raises OutputError.
    """
    final = cache / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}-{sample_rate}.wav"
    if not final.exists():
        shape = Shape(final, sample_rate, channels, frames, "FLOAT")
        with whole_file(final, shape.check) as temporary:
            shape.save(temporary, samples)
    return final


def _resampled(
    sound: Sound, rates: tuple[int, int], channels: Sequence[int], frames: int
) -> Iterator[NDArray[np.float64]]:
    """Blocks of some channels with the rate of the first of `rates` at the second's.

    Exactly `frames` samples in all.
    """
    import soxr

    width = len(channels)
    stream = soxr.ResampleStream(*rates, width, dtype="float64", quality="VHQ")
    given = 0
    for start in range(0, sound.frames, _BLOCK):
        size = min(_BLOCK, sound.frames - start)
        last = start + size == sound.frames
        block = stream.resample_chunk(sound.read(start, size, channels), last=last)
        block = block.reshape(-1, width)[: frames - given]
        given += len(block)
        yield block
    if given < frames:
        yield np.zeros((frames - given, width))


def _ffmpeg(media: MediaFile, path: Path) -> bool:
    """Extract with the ffmpeg program; whether it gave a file of the length that was probed."""
    import imageio_ffmpeg
    import soundfile as sf

    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-nostdin", "-v", "error", "-y"),
        *("-protocol_whitelist", "file", "-format_whitelist", FORMATS),
        *("-i", str(media.path.absolute()), "-map", "0:a:0", "-vn"),
        *("-c:a", "pcm_f32le", "-rf64", "auto", "-f", "wav", str(path.absolute())),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_FFMPEG_SECONDS)
        made = sf.info(str(path))
    except (OSError, RuntimeError, subprocess.SubprocessError):
        return False
    return (made.channels, made.frames) == (media.channels, media.frames)
