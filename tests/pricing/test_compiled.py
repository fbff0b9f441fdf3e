from __future__ import annotations

import importlib
import json
import math
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numba
import numpy as np
import pytest

from volskew.errors import SettingsError
from volskew.pricing import compiled
from volskew.pricing.compiled import bits_to_float, float_to_bits, fma, inlined, kernel

SOURCE = Path(compiled.__file__)
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
POSIX = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX matters")

TINY = """
from copied.pricing.compiled import fma, inlined, kernel
from copied.pricing.constants import SLOPE

@inlined
def helper(x):
    return fma(x, SLOPE, 1.0)

@kernel
def tiny(x):
    return helper(x)
"""


# --- building blocks ---


@inlined
def _horner(x: float) -> float:
    value = 0.125
    for coefficient in (0.25, 0.5, 0.75):
        value = fma(value, x, coefficient)
    return value


@kernel
def _fused(a: np.ndarray, b: np.ndarray, c: np.ndarray, out: np.ndarray) -> None:
    for i in range(a.size):
        out[i] = fma(a[i], b[i], c[i])


@kernel
def _mixed(x: np.ndarray, out: np.ndarray) -> None:
    for i in range(x.size):
        bits = float_to_bits(x[i])
        mantissa = bits_to_float((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000)
        out[i] = _horner(mantissa) / x[i]


@kernel
def _there_and_back(x: np.ndarray, bits: np.ndarray, back: np.ndarray) -> None:
    for i in range(x.size):
        bits[i] = float_to_bits(x[i])
        back[i] = bits_to_float(bits[i])


def test_fma_rounds_once() -> None:
    random = np.random.default_rng(3)
    a, b = random.normal(size=(2, 500)) * np.exp(random.normal(size=(2, 500)) * 20)
    c = (
        -a * b * (1 + random.integers(-3, 4, 500) * 2.0**-52)
    )  # cancels nearly all, so a second rounding shows
    exact = [float(Fraction(x) * Fraction(y) + Fraction(z)) for x, y, z in zip(a, b, c, strict=True)]
    out = np.empty_like(a)
    _fused(a, b, c, out)
    np.testing.assert_array_equal(out, exact)
    assert np.mean(a * b + c != exact) > 0.5  # or the test would see nothing


def test_bits_go_there_and_back() -> None:
    x = np.array([0.0, -0.0, 1.0, -math.pi, math.inf, -math.inf, 5e-324, 1.7e308, math.nan])
    bits, back = np.empty(x.size, np.int64), np.empty_like(x)
    _there_and_back(x, bits, back)
    np.testing.assert_array_equal(bits, x.view(np.int64))
    np.testing.assert_array_equal(back.view(np.int64), x.view(np.int64))


def test_kernels_divide_as_numpy_does_and_know_no_fast_math() -> None:
    out = np.empty(3)
    _mixed(np.array([0.0, -0.0, math.nan]), out)
    assert out[0] == math.inf
    assert out[1] == -math.inf
    assert math.isnan(out[2])
    options = _mixed.targetoptions  # type: ignore[attr-defined]
    assert options["nogil"]
    assert not options["boundscheck"]
    assert not options.get("fastmath")


def test_a_loop_of_building_blocks_vectorises(monkeypatch: pytest.MonkeyPatch) -> None:
    codegen: Any = numba.core.codegen
    features = codegen.get_host_cpu_features()
    if "+avx2" not in features or "+fma" not in features:
        pytest.skip("no 256-bit fused multiply-add on this CPU")
    monkeypatch.setattr(compiled, "_leaf", lambda: None)  # code from the cache cannot be looked at
    again: Any = kernel(_mixed.py_func)  # type: ignore[attr-defined]
    again(np.ones(100), np.ones(100))
    (assembly,) = again.inspect_asm().values()
    assert re.search(r"vfmadd\d+pd\s.*%[yz]mm", assembly)
    assert re.search(r"vdivpd\s.*%[yz]mm", assembly)
    (code,) = again.inspect_llvm().values()
    assert not re.search(r"\bf(add|sub|mul|div) (fast|reassoc|nnan|ninf|nsz|arcp|contract|afn)", code)


def test_disabled_compiling_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    with pytest.raises(SettingsError, match="NUMBA_DISABLE_JIT"):
        kernel(lambda x: x)


# --- the cache, on a copy of the package ---


class Copy:
    """A package `copied` of the module under test and a kernel, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.pricing = folder / "copied" / "pricing"
        self.pricing.mkdir(parents=True)
        for package in (self.pricing, self.pricing.parent):
            (package / "__init__.py").touch()
        shutil.copy(SOURCE, self.pricing / "compiled.py")
        (self.pricing / "tiny.py").write_text(TINY)
        self.set_slope(2.0)

    def set_slope(self, slope: float) -> None:
        (self.pricing / "constants.py").write_text(f"SLOPE = {slope}\n")

    def load(self) -> Any:
        """The kernel's module, imported as a new process would."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "copied"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        return importlib.import_module("copied.pricing.tiny")

    def block(self) -> None:
        """Leave no place beside the sources, whoever we are (root may write where modes forbid it)."""
        (self.pricing / "__pycache__").write_text("not a folder")

    def files(self, place: Path | None = None) -> list[Path]:
        return sorted((place or self.pricing / "__pycache__").glob("volskew-kernels-*/*"))


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Copy]:
    result = Copy(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # it is by the second, and these tests are quicker
    monkeypatch.setattr(os, "register_at_fork", lambda **hooks: None, raising=False)  # once is enough
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME", "TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    before = dict(vars(numba.config))
    yield result
    for name in [name for name in sys.modules if name.partition(".")[0] == "copied"]:
        del sys.modules[name]
    assert dict(vars(numba.config)) == before  # it belongs to every user of numba in the process
    assert not list((tmp_path / "here").iterdir())  # a folder named "~", say


def _hits(module: Any) -> int:
    return sum(module.tiny.stats.cache_hits.values())


def test_nothing_is_compiled_or_written_before_the_first_call(copy: Copy) -> None:
    module = copy.load()
    assert not module.tiny.overloads
    assert not (copy.pricing / "__pycache__").exists()


def test_the_second_process_takes_the_code_from_the_first(copy: Copy) -> None:
    first = copy.load()
    assert first.tiny(3.0) == 7.0
    assert (_hits(first), len(copy.files())) == (0, 1)
    second = copy.load()
    assert second.tiny(4.0) == 9.0
    assert _hits(second) == 1
    assert second.tiny(4) == 9.0  # other types, other code, other file
    assert (_hits(second), len(copy.files())) == (1, 2)


def test_whether_code_is_kept_can_be_asked(copy: Copy) -> None:
    def is_kept(name: str) -> bool:
        module = copy.load()
        return bool(sys.modules[f"{module.__package__}.compiled"].is_kept(name))

    assert not is_kept("tiny")
    copy.load().tiny(3.0)
    assert is_kept("tiny")
    assert not is_kept("tin")
    copy.set_slope(5.0)
    assert not is_kept("tiny")


def test_a_constant_changed_in_another_file_counts(copy: Copy) -> None:
    assert copy.load().tiny(3.0) == 7.0
    copy.set_slope(5.0)
    assert copy.load().tiny(3.0) == 16.0
    copy.set_slope(2.0)
    again = copy.load()
    assert again.tiny(3.0) == 7.0
    assert _hits(again) == 1


def test_a_process_that_outlives_an_upgrade_neither_reads_nor_writes_the_new_ones_code(copy: Copy) -> None:
    outliving = copy.load()
    copy.set_slope(5.0)
    assert outliving.tiny(3.0) == 7.0
    assert copy.files() == []
    assert copy.load().tiny(3.0) == 16.0


def _truncate(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("spoil", [_truncate, _flip, lambda _: b"", lambda _: b"garbage" * 20])
def test_a_damaged_file_is_passed_over_and_replaced(copy: Copy, spoil: Callable[[bytes], bytes]) -> None:
    copy.load().tiny(3.0)
    (file,) = copy.files()
    good = file.read_bytes()
    file.write_bytes(spoil(good))
    after = copy.load()
    assert after.tiny(3.0) == 7.0
    assert _hits(after) == 0
    assert copy.files() == [file]
    third = copy.load()
    assert third.tiny(3.0) == 7.0
    assert _hits(third) == 1


def test_a_file_under_anothers_name_is_passed_over(copy: Copy) -> None:
    module = copy.load()
    module.tiny(3.0)
    (floats,) = copy.files()
    module.tiny(3)
    (integers,) = set(copy.files()) - {floats}
    shutil.copy(floats, integers)
    after = copy.load()
    assert after.tiny(3) == 7.0
    assert _hits(after) == 0


def test_nowhere_to_write_costs_the_cache_alone(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    copy.block()
    monkeypatch.setenv("HOME", "/dev/null")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("TMPDIR", "no-such-folder")
    module = copy.load()
    monkeypatch.setattr(sys.modules["copied.pricing.compiled"], "_TEMPORARY", ("/dev/null",))
    assert module.tiny(3.0) == 7.0
    assert module.tiny.stats.cache_path is not None


def test_a_failure_inside_numba_costs_the_cache_alone(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AttributeError

    module = copy.load()
    monkeypatch.setattr(numba.core.serialize, "dumps", fail)
    assert module.tiny(3.0) == 7.0
    assert copy.files() == []
    monkeypatch.undo()
    monkeypatch.syspath_prepend(copy.pricing.parents[1])
    copy.load().tiny(3.0)
    monkeypatch.setattr(numba.core.compiler.CompileResult, "_rebuild", fail)
    assert copy.load().tiny(3.0) == 7.0


def test_the_users_own_folder_is_honoured(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "a" / "b"
    copy.load().tiny(3.0)  # what lies elsewhere does not keep the wanted folder empty
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(asked))
    copy.load().tiny(3.0)
    assert len(copy.files(asked)) == 1
    assert len(copy.files()) == 1
    module = copy.load()
    module.tiny(3.0)
    assert _hits(module) == 1
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")


def test_a_user_folder_that_cannot_be_is_passed_over(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    for hits, text in enumerate(("~no-such-user/folder", "/dev/null/folder")):
        monkeypatch.setattr(numba.config, "CACHE_DIR", text)
        module = copy.load()
        module.tiny(3.0)
        assert (_hits(module), len(copy.files())) == (hits, 1)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")


def test_places_come_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    home, cache, temporary = (tmp_path / name for name in ("home", "cache", "temporary"))
    home.mkdir()
    temporary.mkdir()
    for name in ("LOCALAPPDATA", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(compiled, "_TEMPORARY", ())
    parents = [place.parent for place in compiled._places()]
    assert parents[:3] == [SOURCE.parent / "__pycache__", cache / "volskew", home / ".cache" / "volskew"]
    assert [parent.parent for parent in parents[3:]] == [temporary]
    assert [place.private for place in compiled._places()] == [False, True, True, True]
    # nothing was made by asking, and what is relative or has no folder above it is no place
    assert not cache.exists()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no" / "such"))
    monkeypatch.setenv("HOME", "home")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    assert [place.parent for place in compiled._places()] == [SOURCE.parent / "__pycache__"]


LEAF = "volskew-kernels-0123456789abcdef"


def _private(tmp_path: Path) -> compiled._Place:
    place = compiled._Place(tmp_path / "base" / "volskew", private=True)
    assert place.write(LEAF, "a.kernel", b"key", b"data")
    assert place.read(LEAF, "a.kernel", b"key") == b"data"
    return place


@POSIX
def test_a_private_place_is_made_private(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        place = _private(tmp_path)
    finally:
        os.umask(mask)
    for path in (place.parent, place.folder(LEAF)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert [path.name for path in place.folder(LEAF).iterdir()] == ["a.kernel"]


@POSIX
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777, 0o1777])
@pytest.mark.parametrize("deep", [False, True])
def test_a_private_place_that_others_may_write_is_not_used(tmp_path: Path, mode: int, deep: bool) -> None:
    place = _private(tmp_path)
    (place.folder(LEAF) if deep else place.parent).chmod(mode)
    assert not place.write(LEAF, "b.kernel", b"key", b"data")
    if deep:
        assert place.read(LEAF, "a.kernel", b"key") is None


@POSIX
def test_a_file_that_others_may_write_or_a_link_is_not_read(tmp_path: Path) -> None:
    place = _private(tmp_path)
    file = place.folder(LEAF) / "a.kernel"
    file.with_name("b.kernel").symlink_to(file)
    assert place.read(LEAF, "b.kernel", b"key") is None
    file.chmod(0o646)
    assert place.read(LEAF, "a.kernel", b"key") is None


@POSIX
def test_a_link_in_the_place_of_a_private_folder_is_not_used(tmp_path: Path) -> None:
    place = _private(tmp_path)
    moved = tmp_path / "elsewhere"
    place.folder(LEAF).rename(moved)
    place.folder(LEAF).symlink_to(moved)
    assert place.read(LEAF, "a.kernel", b"key") is None
    assert not place.write(LEAF, "b.kernel", b"key", b"data")


@pytest.mark.skipif(not ROOT, reason="only root can give files away")
def test_what_belongs_to_another_user_is_not_used(tmp_path: Path) -> None:
    place = _private(tmp_path)
    file = place.folder(LEAF) / "a.kernel"
    for path in (file, place.folder(LEAF), place.parent):
        os.chown(path, 54321, 54321)
        if path != place.parent:
            assert place.read(LEAF, "a.kernel", b"key") is None
        if path != file:
            assert not place.write(LEAF, "b.kernel", b"key", b"data")
        os.chown(path, 0, 0)
    assert place.read(LEAF, "a.kernel", b"key") == b"data"


@pytest.mark.skipif(not ROOT, reason="only root can give files away")
def test_root_under_a_users_home_leaves_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert list(compiled._user_folders()) == [tmp_path / ".cache"]
    os.chown(tmp_path, 54321, 54321)
    assert list(compiled._user_folders()) == []
    os.chown(tmp_path, 0, 0)


def test_old_folders_go_and_nothing_else(tmp_path: Path) -> None:
    for age in range(8):
        folder = tmp_path / f"volskew-kernels-{age:016x}"
        folder.mkdir()
        (folder / "a.kernel").touch()
        (folder / "a.kernel.00.part").touch()
        if age == 7:
            (folder / "notes.txt").touch()
        os.utime(folder, (1e9 - age, 1e9 - age))
    (tmp_path / "volskew-kernels-mine").mkdir()
    (tmp_path / "other").mkdir()
    place = compiled._Place(tmp_path, private=False)
    assert place.write(LEAF, "a.kernel", b"key", b"data")
    left = {path.name for path in tmp_path.iterdir()}
    recent = {f"volskew-kernels-{age:016x}" for age in (0, 1, 2, 3)}
    assert left == recent | {"volskew-kernels-mine", "other", LEAF, f"volskew-kernels-{7:016x}"}
    assert [path.name for path in (tmp_path / f"volskew-kernels-{7:016x}").iterdir()] == ["notes.txt"]


def test_kinds_of_cpu_and_switches_of_numba_have_their_own_files(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = compiled._Cache(_fused.py_func)  # type: ignore[attr-defined]
    here = numba.core.registry.cpu_target.target_context.codegen()
    triple, cpu, features = here.magic_tuple()
    assert isinstance(features, str)
    kinds = [
        (triple, cpu, features),
        (triple, "generic", features),
        (triple, cpu, ""),
        ("other", cpu, features),
    ]
    keys = {cache._key((), SimpleNamespace(magic_tuple=lambda kind=kind: kind)) for kind in kinds}
    assert len(keys) == 4
    monkeypatch.setattr(numba.config, "LOOP_VECTORIZE", 0)
    assert cache._key((), here) not in keys


def test_kernels_made_by_one_function_do_not_share_code(copy: Copy) -> None:
    text = (
        "from copied.pricing.compiled import kernel\n"
        "def add(y):\n    @kernel\n    def inner(x): return x + y\n    return inner\n"
        "def pick(y):\n    @kernel\n    def inner(x): return x + y[0]\n    return inner\n"
    )
    (copy.pricing / "tiny.py").write_text(text)
    for hits in (0, 1):
        made = [copy.load().add(y) for y in (1.0, 2.0)]
        assert [one(1.0) for one in made] == [2.0, 3.0]
        assert [sum(one.stats.cache_hits.values()) for one in made] == [hits, hits]
    assert len(copy.files()) == 2
    assert copy.load().pick((5.0, 6.0))(1.0) == 6.0  # no plain value: compiled, and not kept
    assert len(copy.files()) == 2


def test_code_that_holds_an_address_of_this_process_is_not_kept(copy: Copy) -> None:
    # numba copies a small global array into the code and takes a large one by its address
    text = (
        "import numpy as np\nfrom copied.pricing.compiled import kernel\n"
        "LARGE = np.arange(200_000.0)\n"
        "@kernel\ndef tiny(x): return LARGE[x]\n"
    )
    (copy.pricing / "tiny.py").write_text(text)
    assert copy.load().tiny(7) == 7.0
    assert copy.files() == []


def test_many_threads_may_make_the_first_call(copy: Copy) -> None:
    module = copy.load()
    barrier = threading.Barrier(8)

    def call(x: int) -> float:
        barrier.wait()
        return float(module.tiny(float(x)))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == [2.0 * x + 1.0 for x in range(8)]
    assert sum(module.tiny.stats.cache_misses.values()) == 1


def test_code_whose_callees_are_all_known_runs_without_the_compiler() -> None:
    calls: list[str] = []
    target = SimpleNamespace(refresh=lambda: calls.append("refresh"))
    _fused(*np.ones((4, 3)))
    compiled._prepare_to_run(target, ["PyLong_FromLong", "NRT_adapt_ndarray_from_python", "sqrt"])
    assert calls == []
    compiled._prepare_to_run(target, ["PyLong_FromLong", "no_such_function_of_volskew"])
    assert calls == ["refresh"]


def test_names_from_outside_are_read_off_the_code() -> None:
    text = """
@.const = internal constant [5 x i8] c"@why\\00"
@"env" = common local_unnamed_addr global ptr null
@_Py_NoneStruct = external global ptr
@"PyExc_Error" = external local_unnamed_addr global ptr
define i32 @"own"(ptr noalias %".1") {
  call void @NRT_adapt(ptr %".1")
}
declare i32 @NRT_adapt(ptr nocapture, ptr) local_unnamed_addr #1
declare noalias ptr @"numba_unpickle"(ptr)
declare double @llvm.fma.f64(double, double, double) #2
"""
    names = ["NRT_adapt", "PyExc_Error", "_Py_NoneStruct", "numba_unpickle"]
    assert compiled._names_called(text) == names


# --- real processes ---

CALL = """
import json, os, sys
import copied.pricing.tiny as module
value = module.tiny(3.0)
hits = sum(module.tiny.stats.cache_hits.values())
assert hits == ("numba.np.arraymath" not in sys.modules)  # the compiler starts only to compile
print(json.dumps({"value": value, "hits": hits, "here": os.listdir()}))
"""

STRANGER = """
# Become a user whom the system does not know. Linux: keep the right to read, as the interpreter may be
# in a folder of root's, and lose the right to write.
import ctypes, os, struct
libc = ctypes.CDLL(None)
libc.prctl(8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
os.setgroups([])
os.setgid(54321)
os.setuid(54321)
libc.capset(struct.pack("Ii", 0x20080522, 0), struct.pack("6I", 4, 4, 0, 0, 0, 0))  # CAP_DAC_READ_SEARCH
"""


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder that other users reach, which pytest's are not."""
    folder = Path(tempfile.mkdtemp(prefix="volskew-test-"))
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


def _start(site: Path, script: str, here: Path, **environment: str) -> subprocess.Popen[str]:
    paths = [str(site), str(SOURCE.parents[2])]
    script = f"import sys; sys.path[:0] = {paths!r}; sys.dont_write_bytecode = True\n{script}"
    return subprocess.Popen(
        [sys.executable, "-W", "error::UserWarning", "-c", script],
        env=environment,  # and nothing else
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: subprocess.Popen[str], timeout: float = 120) -> Any:
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        pytest.fail(f"not done after {timeout} s")
    assert process.returncode == 0, err
    assert not err
    return json.loads(out)


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform != "linux" or not ROOT, reason="needs root on Linux, to become somebody else"
)
@pytest.mark.parametrize("home", [None, "missing", "readonly", "root", "own"])
def test_an_unknown_user_of_a_read_only_package(outside: Path, home: str | None) -> None:
    copy = Copy(outside / "site")
    folders = {name: outside / name for name in ("here", "readonly", "root", "own", "temporary")}
    for folder in folders.values():
        folder.mkdir()
    folders["root"].chmod(0o700)
    folders["temporary"].chmod(0o1777)
    folders["here"].chmod(0o777)
    os.chown(folders["own"], 54321, 54321)
    environment = {"TMPDIR": str(folders["temporary"])}
    if home is not None:
        environment["HOME"] = str(outside / home)
    place = folders["temporary"] / "volskew-54321" if home != "own" else folders["own"] / ".cache" / "volskew"
    for hits in (0, 1):
        told = _finish(_start(outside / "site", STRANGER + CALL, folders["here"], **environment))
        assert told == {"value": 7.0, "hits": hits, "here": []}
    assert len(copy.files(place)) == 1
    assert not (copy.pricing / "__pycache__").exists()
    assert not (outside / "missing").exists()
    assert (place.stat().st_uid, stat.S_IMODE(place.stat().st_mode)) == (54321, 0o700)


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform != "linux" or not ROOT, reason="needs root on Linux, to become somebody else"
)
def test_a_place_taken_by_another_user_is_left_alone(outside: Path) -> None:
    Copy(outside / "site")
    place = outside / "volskew-54321"
    (outside / "here").mkdir()
    place.mkdir()
    place.chmod(0o777)
    script = CALL.replace(
        "value =", f"sys.modules['copied.pricing.compiled']._TEMPORARY = ({str(outside)!r},)\nvalue ="
    )
    for _ in range(2):
        told = _finish(_start(outside / "site", STRANGER + script, outside / "here"))
        assert told == {"value": 7.0, "hits": 0, "here": []}
    assert list(place.iterdir()) == []


@pytest.mark.slow
@POSIX
@pytest.mark.skipif(ROOT, reason="modes do not bind root")
def test_an_ordinary_user_of_a_read_only_package(outside: Path) -> None:
    copy = Copy(outside / "site")
    copy.pricing.chmod(0o555)
    (outside / "here").mkdir()
    (outside / "temporary").mkdir()
    for hits in (0, 1):
        told = _finish(_start(outside / "site", CALL, outside / "here", TMPDIR=str(outside / "temporary")))
        assert told == {"value": 7.0, "hits": hits, "here": []}


@pytest.mark.slow
@POSIX
def test_a_disk_that_fills_up_costs_the_cache_alone(tmp_path: Path) -> None:
    copy = Copy(tmp_path / "site")
    (tmp_path / "here").mkdir()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
    script = CALL.replace("value =", f"{limit}value =")
    script = script.replace("value =", "sys.modules['copied.pricing.compiled']._TEMPORARY = ()\nvalue =", 1)
    told = _finish(_start(tmp_path / "site", script, tmp_path / "here", TMPDIR="none"))
    assert told == {"value": 7.0, "hits": 0, "here": []}
    assert copy.files() == []  # no half files either


@pytest.mark.slow
def test_processes_may_fill_the_cache_at_once(tmp_path: Path) -> None:
    copy = Copy(tmp_path / "site")
    (tmp_path / "here").mkdir()
    (copy.pricing / "tiny.py").write_text(TINY.replace("return helper(x)", "return helper(x[0])"))
    script = CALL.replace("import json", "import numpy, json").replace("3.0", "numpy.array([3.0])")
    started = [_start(tmp_path / "site", script, tmp_path / "here") for _ in range(4)]
    assert [_finish(process)["value"] for process in started] == [7.0] * 4
    assert len(copy.files()) == 1
    told = _finish(_start(tmp_path / "site", script, tmp_path / "here"))
    assert told == {"value": 7.0, "hits": 1, "here": []}


@pytest.mark.slow
def test_another_kind_of_cpu_has_its_own_code_and_the_same_result(tmp_path: Path) -> None:
    copy = Copy(tmp_path / "site")
    (tmp_path / "here").mkdir()
    # 3 = 1 + 2: the slope's last bit is lost unless the product is kept whole
    (copy.pricing / "tiny.py").write_text(TINY.replace("fma(x, SLOPE, 1.0)", "fma(x, x, -(1.0 + 2.0**-29))"))
    script = CALL.replace("3.0", "1.0 + 2.0**-30")
    for kind in ({}, {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}):
        for hits in (0, 1):
            told = _finish(_start(tmp_path / "site", script, tmp_path / "here", **kind))
            assert told == {"value": 2.0**-60, "hits": hits, "here": []}
    assert len(copy.files()) == 2


FORK = """
import json, os, signal, sys, threading, time
import copied.pricing.tiny as module
from copied.pricing.compiled import kernel

@kernel
def large(x):
    LINES
    return x

thread = threading.Thread(target=large, args=(1.0,))
thread.start()
while not large.is_compiling:
    time.sleep(0.001)
codes = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # a child that hangs is killed
        results = []
        other = threading.Thread(target=lambda: results.append(module.tiny(3.0)))
        other.start()  # a lock that the forking thread held would be open to that thread alone
        other.join()
        os._exit(0 if results == [7.0] else 1)
    codes.append(os.waitpid(child, 0)[1])
    time.sleep(0.05)
thread.join()
print(json.dumps(codes))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_while_another_thread_compiles_leaves_the_child_free(tmp_path: Path) -> None:
    Copy(tmp_path / "site")
    (tmp_path / "here").mkdir()
    lines = "\n    ".join(f"x = x * {i}.5 if x > {i}.25 else x / {i}.75" for i in range(1, 80))
    (tmp_path / "fork.py").write_text(FORK.replace("LINES", lines))
    script = (
        "import runpy, warnings; warnings.simplefilter('ignore'); "
        f"runpy.run_path({str(tmp_path / 'fork.py')!r})"
    )
    assert _finish(_start(tmp_path / "site", script, tmp_path / "here"), timeout=150) == [0, 0, 0]


POOL = """
import json, multiprocessing, sys

def call(x):
    from copied.pricing.tiny import tiny
    return tiny(float(x))

if __name__ == "__main__":
    results = [call(0)]
    with multiprocessing.get_context(METHOD).Pool(2) as pool:
        results += pool.map(call, [1, 2, 3])
    print(json.dumps(results))
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_pools_of_processes_of_every_kind(tmp_path: Path, method: str) -> None:
    Copy(tmp_path / "site")
    script = tmp_path / "pool.py"
    script.write_text(POOL.replace("METHOD", repr(method)))
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", str(script)],
        env={"PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), str(SOURCE.parents[2])])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == [1.0, 3.0, 5.0, 7.0]
