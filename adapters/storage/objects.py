"""A store on S3-compatible object storage, through fsspec.

Work reads and writes files on this machine; the object store is where finished ones are kept. An
object appears whole or not at all, with the sha256 of its bytes in its metadata. The store's folder
here has copies of what was used last, as much as the settings allow.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from adapters.media.essence import file_sha256
from adapters.media.whole import is_part, output_error, part_path, sweep, whole_file
from adapters.storage.folder import place_in
from adapters.storage.store import Stored, Told
from core.errors import InputError, OutputError, PassingError, RoomtoneError, UsageError

SCHEME = "s3://"
TRIES, AGAIN = 3, 5
"""Tries of a request by the AWS library, with growing pauses, and of these by s3fs."""
CONNECT_S, READ_S = 10, 60
IN_USE_S = 900.0
"""A copy that was made or asked for so shortly ago is about to be read, and stays."""

BELIEVED_S = 300.0
"""So long an object is believed to be there still, as lists of takes ask for it again and again."""

_BLOCK = 1 << 22
_HASH = "sha256"
_SOME = 500


def s3_files(endpoint: str) -> Any:
    """The object storage, as fsspec sees it. Credentials come from where AWS's own tools look.

    That is the environment (`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, …) and the files in `~/.aws`.
    endpoint: of another server than Amazon's. Raises UsageError where s3fs is not installed.
    """
    try:
        import s3fs
    except ImportError as fault:
        raise UsageError(
            'A store on S3 needs s3fs, which is not installed: pip install "roomtone[s3]".'
        ) from fault
    files = s3fs.S3FileSystem(
        endpoint_url=endpoint or None,
        use_listings_cache=False,
        skip_instance_cache=True,
        config_kwargs={
            "retries": {"max_attempts": TRIES, "mode": "standard"},
            "connect_timeout": CONNECT_S,
            "read_timeout": READ_S,
        },
    )
    files.retries = AGAIN
    return files


class ObjectStore:
    """Keeps files as objects of a bucket."""

    remote = True

    def __init__(self, folder: Path, url: str, files: Callable[[], Any], most: int) -> None:
        """Nothing is asked of the object store yet.

        folder: for copies here. url: `s3://bucket/prefix`. files: gives the storage, as fsspec has
        it. most: bytes that copies here may have together.
        """
        self.folder = folder
        self.name = url
        self._root = url.removeprefix(SCHEME).rstrip("/")
        self._open, self._files = files, None
        self._most = most
        self._guard = threading.Lock()
        self._seen: dict[Path, tuple[int, float]] = {}
        self._coming: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process, which opens the storage itself."""
        return ObjectStore, (self.folder, self.name, self._open, self._most)

    def place(self, key: str) -> Path:
        """Where a copy of the cleaned take of that key lies, or would."""
        return place_in(self.folder, key)

    def shown(self, path: Path) -> str:
        """The address of the object."""
        return SCHEME + self._object(path)

    def placed(self, shown: str) -> Path:
        """The file that `shown` gave that name; any other path as it is."""
        begin = f"{SCHEME}{self._root}/"
        return self.folder / shown.removeprefix(begin) if shown.startswith(begin) else Path(shown)

    def look(self, path: Path) -> Stored | None:
        """What the object store has for a place."""
        with self._told(path):
            try:
                found = self._storage().info(self._object(path))
            except FileNotFoundError:
                return None
        return _stored(found)

    def has(self, path: Path, size: int) -> bool:
        """Whether an object of so many bytes is there, or was some minutes ago."""
        with contextlib.suppress(OSError):
            if path.stat().st_size == size:
                return True
        seen, at = self._seen.get(path, (-1, 0.0))
        if seen == size and time.monotonic() - at < BELIEVED_S:
            return True
        found = self.look(path)
        if found is not None:
            self._seen[path] = found.bytes, time.monotonic()
        return found is not None and found.bytes == size

    def files(self) -> Iterator[tuple[Path, Stored]]:
        """All objects below the prefix."""
        with self._told():
            try:
                found = self._storage().find(self._root, detail=True)
            except FileNotFoundError:
                found = {}
        for name, told in sorted(found.items()):
            stored = _stored(told)
            if stored is not None:
                yield self.folder / name.removeprefix(f"{self._root}/"), stored

    @contextlib.contextmanager
    def making(self, path: Path) -> Iterator[Path]:
        """A place beside the copies, under a name that is swept away where this process dies."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise output_error(path, fault) from fault
        made = part_path(path)
        try:
            yield made
        finally:
            with contextlib.suppress(OSError):
                made.unlink(missing_ok=True)

    def keep(self, made: Path, path: Path, sha256: str) -> None:
        """Put a file into the object store, whole, and have it as a copy here."""
        size = made.stat().st_size
        with self._told(path):
            self._storage().put_file(str(made), self._object(path), Metadata={_HASH: sha256})
        found = self.look(path)
        if found is None or found.bytes != size:
            raise OutputError(
                f"{self.shown(path)} does not have the {size} bytes that were put there: check the "
                "object store and run again."
            )
        try:
            made.replace(path)
        except OSError as fault:
            raise output_error(path, fault) from fault
        self._make_room(path)

    def here(self, path: Path) -> Path:
        """Have a copy of an object here, compared with what was kept."""
        if not path.is_relative_to(self.folder):
            return path
        with self._coming[path]:
            if path.is_file():
                with contextlib.suppress(OSError):
                    os.utime(path)
            else:
                self._fetch(path)
                self._make_room(path)
        return path

    def let_go(self, path: Path) -> None:
        """Remove the copy here."""
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)

    def sha256(self, path: Path, told: Told) -> str:
        """Read an object, all of it, and keep nothing of it."""
        digest = hashlib.sha256()
        with self._told(path):
            try:
                with self._storage().open(self._object(path), "rb", block_size=_BLOCK) as source:
                    while block := source.read(_BLOCK):
                        digest.update(block)
                        told(len(block))
            except FileNotFoundError as fault:
                raise self._gone(path) from fault
        return digest.hexdigest()

    def remove(self, path: Path) -> None:
        """Remove an object, and the copy of it here."""
        self._seen.pop(path, None)
        with self._told(path), contextlib.suppress(FileNotFoundError):
            self._storage().rm_file(self._object(path))
        self.let_go(path)

    def take_out(self, path: Path, target: Path) -> None:
        """Move an object to a file of this machine, as it is."""
        with whole_file(target) as temporary:
            self._copy(path, temporary)
        self.remove(path)

    def tidy(self, known: Callable[[list[str]], set[str]]) -> None:
        """Clear away what broken-off work left here, and copies of what nothing speaks of."""
        sweep(self.folder)
        copies = list(self._copies())
        for start in range(0, len(copies), _SOME):
            some = copies[start : start + _SOME]
            still = known([path.stem for path, _ in some])
            for path, stored in some:
                if path.stem not in still and time.time() - stored.changed > IN_USE_S:
                    with contextlib.suppress(OSError):
                        path.unlink(missing_ok=True)

    def _fetch(self, path: Path) -> None:
        with self._told(path):
            try:
                kept = self._storage().metadata(self._object(path)).get(_HASH, "")
            except FileNotFoundError as fault:
                raise self._gone(path) from fault
        with whole_file(path) as temporary:
            self._copy(path, temporary)
            if kept and file_sha256(temporary) != kept:
                raise InputError(
                    f"{self.shown(path)} has other bytes than were put there: run roomtone repair."
                )

    def _copy(self, path: Path, target: Path) -> None:
        with self._told(path):
            try:
                self._storage().get_file(self._object(path), str(target))
            except FileNotFoundError as fault:
                raise self._gone(path) from fault

    def _make_room(self, path: Path) -> None:
        """Remove copies, those not used for longest first, until few enough bytes are left."""
        copies = sorted(self._copies(), key=lambda item: item[1].changed)
        over = sum(stored.bytes for _, stored in copies) - self._most
        for other, stored in copies:
            if over <= 0:
                break
            if other == path or time.time() - stored.changed < IN_USE_S:
                continue
            # Where the system doesn't let go of an open file, another time will do.
            with contextlib.suppress(OSError):
                other.unlink()
                over -= stored.bytes

    def _copies(self) -> Iterator[tuple[Path, Stored]]:
        for folder in self.folder.iterdir() if self.folder.is_dir() else ():
            for path in folder.iterdir() if folder.is_dir() else ():
                if is_part(path.name):
                    continue
                with contextlib.suppress(OSError):
                    found = path.lstat()
                    yield path, Stored(found.st_size, found.st_mtime)

    def _object(self, path: Path) -> str:
        return f"{self._root}/{path.relative_to(self.folder).as_posix()}"

    def _storage(self) -> Any:
        """The storage, whose bucket was seen once to be there."""
        with self._guard:
            if self._files is None:
                files = self._open()
                bucket = self._root.partition("/")[0]
                try:
                    files.info(bucket)
                except FileNotFoundError as fault:
                    raise OutputError(
                        f"There is no bucket {bucket!r} for {self.name}: make it, or name another "
                        "(the setting store, or where the backup goes)."
                    ) from fault
                except PermissionError:
                    pass  # It may allow its objects and not itself to be looked at.
                self._files = files
            return self._files

    @contextlib.contextmanager
    def _told(self, path: Path | None = None) -> Iterator[None]:
        """Tell what goes wrong on the way to the object store in a sentence."""
        where = self.name if path is None else self.shown(path)
        try:
            yield
        except (RoomtoneError, FileNotFoundError):
            raise
        except PermissionError as fault:
            raise OutputError(
                f"{where} can't be used, the object store refuses it ({_first(fault)}): check the "
                "credentials in the environment (AWS_ACCESS_KEY_ID, AWS_PROFILE) or in ~/.aws."
            ) from fault
        except Exception as fault:
            if not _is_ours(fault):
                raise
            if type(fault).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
                raise OutputError(
                    f"{where} can't be used without credentials: set AWS_ACCESS_KEY_ID and "
                    "AWS_SECRET_ACCESS_KEY in the environment, or fill in ~/.aws/credentials."
                ) from fault
            raise PassingError(
                f"{where} can't be reached now ({_first(fault)}): check the network and the "
                "setting store_endpoint, and run again; what was done is kept."
            ) from fault

    def _gone(self, path: Path) -> InputError:
        return InputError(f"{self.shown(path)} is not in the store any more: run roomtone repair.")


def _is_ours(fault: Exception) -> bool:
    """Whether a fault is the storage's or the network's, and not a mistake of the program."""
    kinds = {kind.__module__.partition(".")[0] for kind in type(fault).__mro__}
    return isinstance(fault, OSError | TimeoutError) or bool(kinds & {"botocore", "aiohttp"})


def _first(fault: BaseException) -> str:
    return str(fault).strip().partition("\n")[0].rstrip(".") or type(fault).__name__


def _stored(found: dict[str, Any]) -> Stored | None:
    if found.get("type") != "file":
        return None
    changed = found.get("LastModified")
    return Stored(int(found["size"]), changed.timestamp() if changed else time.time())
