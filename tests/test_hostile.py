"""What keeps strangers' files from doing more than being read, held for the whole program."""

from __future__ import annotations

import ast
import io
import pickle
import subprocess
import tracemalloc
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import imageio_ffmpeg
import pytest

from adapters.json_file import read_json
from adapters.media.containers import FORMATS
from adapters.timelines.aaf.apart import _Answer
from core.cut import Cut
from core.errors import InputError
from core.time import RATES
from db.engine import open_database
from db.portable import bounded_lines, dump_rows, load_rows
from flows.cut_changes import timeline_sha256
from flows.trace_picture import _is_picture

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("adapters", "bench", "cli", "config", "core", "db", "flows", "models", "web")
UNPICKLED = {"adapters/timelines/aaf/apart.py", "flows/spread.py"}
"""A child's answer, of which only the classes of a cut are taken; a studio's own Dask workers."""

FORBIDDEN = {
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "pickle.load",
    "pickle.loads",
    "pickle.Unpickler",
    "marshal.loads",
    "yaml.load",
    "joblib.load",
    "shutil.unpack_archive",
    "tempfile.mktemp",
    "ET.fromstring",
    "ET.parse",
    "ElementTree.fromstring",
    "ElementTree.parse",
    "minidom.parseString",
    "minidom.parse",
}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call in the program: the file, the name as it is written, and the call."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    name = ast.unparse(node.func)
                    yield path.relative_to(ROOT).as_posix(), name, node


def test_nothing_runs_or_unpacks_what_a_file_says() -> None:
    found = {
        (path, name)
        for path, name, _ in calls()
        if name in FORBIDDEN or name.endswith((".extractall", ".extract"))
    }
    assert {path for path, name in found if "ickle" in name} <= UNPICKLED
    assert {item for item in found if "ickle" not in item[1]} == set()


def test_weights_are_loaded_as_tensors_only_and_no_shell_is_started() -> None:
    for path, name, call in calls():
        told = {word.arg: ast.unparse(word.value) for word in call.keywords}
        if name == "torch.load":
            assert told.get("weights_only") == "True", path
        if name == "np.load":
            assert told.get("allow_pickle") == "False", path
        assert told.get("shell", "False") == "False", path


def test_programs_that_read_strangers_files_have_a_time_limit() -> None:
    for path, name, call in calls():
        if name == "subprocess.run" and path.startswith("adapters/"):
            assert "timeout" in {word.arg for word in call.keywords}, path


def as_the_child_writes_it(value: object) -> io.BytesIO:
    """A pickle without what other libraries of this process may have changed about pickling."""
    written = io.BytesIO()
    pickler = pickle.Pickler(written)
    pickler.dispatch_table = {}
    pickler.dump(value)
    return io.BytesIO(written.getvalue())


def test_an_answer_about_an_aaf_is_a_cut_or_an_error_and_nothing_else() -> None:
    for whole in (Cut("a", RATES["24"], 0, 0, ()), InputError("no AAF")):
        got = _Answer(as_the_child_writes_it(whole)).load()
        assert type(got) is type(whole)
    for other in (datetime.now, print, Path("/"), subprocess.run, ast.parse):
        with pytest.raises(pickle.UnpicklingError, match="is no part of a cut"):
            _Answer(as_the_child_writes_it(other)).load()


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile secret.wav\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nsecret.wav\n#EXT-X-ENDLIST\n",
    ],
)
def test_ffmpeg_follows_no_list_of_other_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "take.mov"
    path.write_text(text)
    words = ("-nostdin", "-v", "error", "-protocol_whitelist", "file", "-format_whitelist", FORMATS)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), *words, "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "secret" not in done.stderr


def test_json_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    for text, told in (
        ("[" + "{}," * 60 + "{}]", "over 100 values"),
        ("[" * 100_000, "nested too deeply"),
        ("[" + "1" * 5_000 + "]", "integer"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=told):
            read_json(path, 1 << 20, 100 if "values" in told else 1_000_000)
    with path.open("wb") as file:
        file.truncate(5 << 30)
    with pytest.raises(ValueError, match="over 64 MB"):
        read_json(path, 64 << 20)


@pytest.mark.parametrize("line", ["[" * 100_000, "[" + "[]," * 4_000_000 + "[]]"])
def test_a_row_of_a_dump_is_no_larger_than_a_row(tmp_path: Path, line: str) -> None:
    database = open_database(tmp_path / "roomtone.db")
    with database.read() as session:
        lines = [*dump_rows(session)][:2]
    with pytest.raises(InputError, match="rows is no dump"), database.write() as session:
        load_rows(session, [*lines, line], "rows")
    database.close()


def test_a_line_of_a_dump_ends() -> None:
    file = io.StringIO("short\n" + "x" * 100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("db.portable._LONGEST_LINE", 50)
        lines = bounded_lines(file)
        assert next(lines) == "short\n"
        with pytest.raises(ValueError, match="too long"):
            next(lines)


def test_a_cut_with_its_media_inside_is_hashed_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "film.aaf"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    tracemalloc.start()
    try:
        assert len(timeline_sha256(path)) == 64
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert timeline_sha256(tmp_path / "absent.aaf") == ""


def test_a_picture_s_place_is_looked_at_and_not_read(tmp_path: Path) -> None:
    assert not _is_picture(tmp_path)
    path = tmp_path / "trace.svg"
    path.write_text("  <svg></svg>")
    assert _is_picture(path)
    with path.open("wb") as file:
        file.truncate(5 << 30)
    assert not _is_picture(path)
