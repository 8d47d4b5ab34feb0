"""Where weights live, how they are fetched, verified, and imported where there is no network.

`root/NAME/` holds the files of one set and a `weights.json` with their sha256. Nothing is loaded
that was not hashed first, and a folder appears under its name only when it is whole.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from core.errors import EngineError, UsageError
from models.download import download, unpack
from models.known_weights import KNOWN, Kind, KnownFile, KnownWeights

__all__ = ["KNOWN", "InstalledWeights", "KnownFile", "KnownWeights", "WeightsFolder"]

RECORD = "weights.json"
PIPELINE = "config.yaml"
LARGE = 500_000_000
BLOCK = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CTRANSLATE2 = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True)
class InstalledWeights:
    """A set that lies in the folder. size: bytes. sha256: of the set. added: ISO date or empty."""

    name: str
    kind: Kind
    size: int
    sha256: str
    added: str


@dataclass(frozen=True)
class WeightsFolder:
    """A folder of weights, a subfolder for each set. known: what can be fetched by name."""

    root: Path
    known: Mapping[str, KnownWeights] = field(default_factory=lambda: KNOWN)

    def path(self, name: str) -> Path:
        """The folder of a set, every file of it hashed and found as recorded.

        A set that somebody laid there by hand without a record is recorded at this first use
        (one that we know must have the authors' hashes). Raises EngineError where it is missing
        or differs.
        """
        self._verified(name)
        return self.root / name

    def sha256(self, name: str) -> str:
        """sha256 over the sorted lines `name sha256` of a set's files, verified as by `path`."""
        return _set_sha256(self._verified(name))

    def installed(self) -> tuple[InstalledWeights, ...]:
        """What lies in the folder, by name, from the records and without hashing."""
        if not self.root.is_dir():
            return ()
        found = []
        for folder in sorted(self.root.iterdir()):
            if folder.name.startswith(".") or not folder.is_dir():
                continue
            record = self._record(folder.name)
            hashes = record or self._expected(folder.name)
            if not hashes or not all((folder / file).is_file() for file in hashes):
                continue
            size = sum((folder / file).stat().st_size for file in hashes)
            sha256 = _set_sha256(hashes) if all(hashes.values()) else ""
            added = _read_record(folder / RECORD).get("added", "")
            kind = _kind(hashes)
            found.append(InstalledWeights(folder.name, kind, size, sha256, str(added)))
        return tuple(found)

    def fetch(self, name: str, progress: Callable[[int, int], None]) -> Path:
        """Fetch a known set from where its authors publish it, and verify it.

        progress(done, total): bytes of the file that is being fetched; total is 0 where unknown.
        A fetch that breaks off is resumed by the next. Raises UsageError for a name that is not
        known, EngineError where there is no network or a file is not what it should be.
        """
        known = self.known.get(name)
        if known is None:
            raise UsageError(
                f"There are no weights {name!r} to fetch; use one of {', '.join(self.known)}."
            )
        parts = self.root / ".downloads" / name
        _make(parts)
        with self._whole(name) as folder:
            for url in dict.fromkeys(file.url for file in known.files):
                wanted = [file.name for file in known.files if file.url == url]
                part = parts / f"{url.rsplit('/', 1)[1]}.part"
                download(url, part, progress)
                try:
                    if url.endswith(".tar.gz"):
                        unpack(part, wanted, folder)
                    else:
                        shutil.copyfile(part, folder / wanted[0])
                    hashes = {file: _sha256(folder / file) for file in wanted}
                    _compare(name, hashes, self._expected(name), self.root)
                except EngineError:
                    # What is whole and wrong would be resumed forever.
                    part.unlink()
                    raise
            _write_record(folder, known.source)
        shutil.rmtree(parts, ignore_errors=True)
        return self.root / name

    def import_from(self, source: Path) -> tuple[str, ...]:
        """Bring in weights from a file or folder; gives the names under which they lie now.

        Taken: the authors' archive or the files of DeepFilterNet3, Whisper checkpoints (`.pt`),
        folders of CTranslate2 (`model.bin`, `config.json`, `tokenizer.json`) and of pyannote
        pipelines (`config.yaml` and what lies below), and a folder of such files and folders.
        Weights that are not known are taken under their own name; those under a known name must
        have the authors' hashes. Each set is copied whole or not at all. Raises EngineError where
        nothing is recognised or something is not what it pretends.
        """
        if not source.exists():
            raise EngineError(f"{source} does not exist; give the folder that holds the weights.")
        candidates = [source]
        if source.is_dir():
            candidates += [path for path in sorted(source.iterdir()) if path.name[0] != "."]
        names: list[str] = []
        for candidate in candidates:
            name = self._import_one(candidate)
            if name:
                names.append(name)
        if not names:
            raise EngineError(
                f"{source} holds no weights that roomtone can use; give the DeepFilterNet3 files, "
                "a Whisper .pt, a CTranslate2 folder with its tokenizer.json, or a pipeline of "
                "pyannote with its config.yaml."
            )
        return tuple(dict.fromkeys(names))

    def _import_one(self, source: Path) -> str:
        """Import one set, or nothing (an empty name) where this is none."""
        if source.is_file() and source.name.endswith(".tar.gz"):
            name, files = self._known_archive(source)
        elif source.is_file() and source.suffix == ".pt":
            name, files = self._checkpoint_name(source), {source.name: source}
        elif source.is_dir():
            name, files = self._folder_set(source)
        else:
            return ""
        if not name:
            return ""
        with self._whole(name) as folder:
            if source.name.endswith(".tar.gz"):
                unpack(source, files, folder)
            for file, origin in files.items():
                if origin != source or source.suffix == ".pt":
                    (folder / file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(origin, folder / file)
            hashes = {file: _sha256(folder / file) for file in files}
            _compare(name, hashes, self._expected(name), source)
            _write_record(folder, str(source))
        return name

    def _known_archive(self, archive: Path) -> tuple[str, dict[str, Path]]:
        """The known set that is published in an archive of this name."""
        for known in self.known.values():
            if known.files[0].url.rsplit("/", 1)[-1] == archive.name:
                return known.name, {file.name: archive for file in known.files}
        return "", {}

    def _checkpoint_name(self, checkpoint: Path) -> str:
        """A known name by hash, or the file's own; a known file name alone proves nothing."""
        sha256 = _sha256(checkpoint)
        for known in self.known.values():
            if [file.sha256 for file in known.files] == [sha256]:
                return known.name
        for known in self.known.values():
            if [file.name for file in known.files] == [checkpoint.name]:
                raise EngineError(
                    f"{checkpoint} is named like {known.name} but is another file (its sha256 "
                    "differs); fetch it again, or rename it if these weights are your own."
                )
        return _safe_name(checkpoint, checkpoint.stem)

    def _folder_set(self, folder: Path) -> tuple[str, dict[str, Path]]:
        """A known set by its file names, or a folder of CTranslate2 or pyannote by its own name."""
        if is_speaker_pipeline(folder):
            return _safe_name(folder, folder.name), _files(folder)
        present = {path.name: path for path in folder.iterdir() if path.is_file()}
        for known in self.known.values():
            names = [file.name for file in known.files]
            by_name = known.kind == "denoise" or known.name == folder.name
            if by_name and len(names) > 1 and all(name in present for name in names):
                return known.name, {name: present[name] for name in names}
        if "model.bin" not in present or "config.json" not in present:
            return "", {}
        needed = [*_CTRANSLATE2, *self._expected(folder.name)]
        missing = [name for name in needed if name not in present]
        if missing:
            raise EngineError(
                f"{folder} lacks {missing[0]}, without which the recogniser would go to the "
                "network; put it beside model.bin."
            )
        taken = [n for n in present if n.endswith((".bin", ".json", ".txt")) and n != RECORD]
        return _safe_name(folder, folder.name), {name: present[name] for name in sorted(taken)}

    def _verified(self, name: str) -> dict[str, str]:
        """The hashes of a set's files after comparing them with record and authors."""
        folder = self.root / name
        if not _NAME.fullmatch(name) or not folder.is_dir():
            raise EngineError(
                f"The weights {name} are not in {self.root}; run `roomtone models fetch {name}`, "
                "or `roomtone models import DIR` on a machine without a network."
            )
        record, expected = self._record(name), self._expected(name)
        listed = set(record) | set(expected) or set(_files(folder))
        missing = sorted(file for file in listed if not (folder / file).is_file())
        if missing or not listed:
            raise EngineError(
                f"{folder} lacks {missing[0] if missing else 'its files'}; run "
                f"`roomtone models fetch {name}` or `roomtone models import DIR` again."
            )
        hashes = {file: _sha256(folder / file) for file in sorted(listed)}
        _compare(name, hashes, record, folder)
        _compare(name, hashes, expected, folder)
        if not record and not (expected and all(expected.values())):
            _write_record(folder, "laid there by hand")
        return hashes

    def _expected(self, name: str) -> dict[str, str]:
        """The authors' hashes by file name (empty where not known); nothing for unknown sets."""
        known = self.known.get(name)
        return {file.name: file.sha256 for file in known.files} if known else {}

    def _record(self, name: str) -> dict[str, str]:
        """The recorded hashes by file name."""
        files = _read_record(self.root / name / RECORD).get("files", {})
        return {str(file): str(entry["sha256"]) for file, entry in files.items()}

    @contextmanager
    def _whole(self, name: str) -> Iterator[Path]:
        """A folder to fill, which takes the place of `root/name` only if all went well."""
        _make(self.root)
        filling = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=self.root))
        try:
            yield filling
            for path in (path for path in filling.rglob("*") if path.is_file()):
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            filling.chmod(0o755)
            target = self.root / name
            if target.exists():
                old = Path(tempfile.mkdtemp(prefix=f".{name}.old.", dir=self.root))
                target.rename(old / name)
                filling.rename(target)
                shutil.rmtree(old, ignore_errors=True)
            else:
                filling.rename(target)
        except OSError as fault:
            raise EngineError(
                f"{self.root / name} can't be written ({fault.strerror or fault}); check its "
                "permissions and the space on its disk."
            ) from fault
        finally:
            shutil.rmtree(filling, ignore_errors=True)


def is_speaker_pipeline(folder: Path) -> bool:
    """Whether a folder says of itself that it is a diarization pipeline of pyannote's."""
    try:
        with (folder / PIPELINE).open("rb") as file:
            return b"SpeakerDiarization" in file.read(1 << 16)
    except OSError:
        return False


def folder_sha256(folder: Path) -> str:
    """sha256 of a set that lies anywhere, as `WeightsFolder.sha256` counts it.

    Raises EngineError where a file can't be read.
    """
    try:
        return _set_sha256({name: _sha256(path) for name, path in _files(folder).items()})
    except OSError as fault:
        raise EngineError(
            f"{folder} can't be read ({fault.strerror}); check its permissions."
        ) from fault


def _files(folder: Path) -> dict[str, Path]:
    """The files of a set by their names in its folder, hidden ones and the record left out."""
    paths = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path
        for name, path in sorted(paths.items())
        if name.as_posix() != RECORD and not any(part[0] == "." for part in name.parts)
    }


def _compare(name: str, found: dict[str, str], wanted: dict[str, str], where: Path) -> None:
    """Refuse a file whose hash is known and another. Raises EngineError."""
    for file, sha256 in found.items():
        if wanted.get(file) and wanted[file] != sha256:
            raise EngineError(
                f"{file} from {where} is not the file of {name} that it should be (its sha256 "
                f"differs); get it anew with `roomtone models fetch {name}` or "
                "`roomtone models import DIR`."
            )


def _set_sha256(hashes: Mapping[str, str]) -> str:
    """sha256 of a set from those of its files."""
    lines = "".join(f"{name} {hashes[name]}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def _sha256(path: Path) -> str:
    """sha256 of a file; one over 500 MB is hashed once in a process unless it changes."""
    stat = path.stat()
    if stat.st_size <= LARGE:
        return _hash_file(path)
    return _hash_large(path.resolve(), stat.st_size, stat.st_mtime_ns, stat.st_ino)


@cache
def _hash_large(path: Path, *_identity: int) -> str:
    return _hash_file(path)


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _kind(files: Mapping[str, str]) -> Kind:
    if PIPELINE in files:
        return "speakers"
    return "denoise" if any(name.endswith(".onnx") for name in files) else "whisper"


def _safe_name(source: Path, name: str) -> str:
    """The name as it may be used for a folder. Raises EngineError for any other."""
    if not _NAME.fullmatch(name):
        raise EngineError(
            f"{source} can't be imported under its name; rename it with letters, digits, dots and "
            "dashes only."
        )
    return name


def _read_record(path: Path) -> dict[str, Any]:
    """A `weights.json`, or nothing where there is none. Raises EngineError if it is damaged."""
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text("utf-8"))
        if all("sha256" in entry for entry in record["files"].values()):
            return dict(record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise EngineError(f"{path} is damaged; delete its folder and import or fetch the weights.")


def _write_record(folder: Path, source: str) -> None:
    """Record the files of a folder as they are now."""
    files = {
        name: {"sha256": _sha256(path), "size": path.stat().st_size}
        for name, path in _files(folder).items()
    }
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    text = json.dumps({"files": files, "source": source, "added": today}, indent=2)
    try:
        unfinished = folder / f".{RECORD}"
        unfinished.write_text(text + "\n", "utf-8")
        unfinished.replace(folder / RECORD)
    except OSError as fault:
        raise EngineError(
            f"{folder} is not writable, so its weights can't be recorded; bring them in with "
            f"`roomtone models import {folder}`."
        ) from fault


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise EngineError(
            f"{folder} can't be made ({fault.strerror}); check its permissions."
        ) from fault
