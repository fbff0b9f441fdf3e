"""The one place that compiles kernels: the decorators, exact building blocks, and the cache of machine code.

Written so::

    from volskew.pricing.compiled import fma, inlined, kernel

    @inlined
    def horner(x): return fma(fma(0.25, x, 0.5), x, 1.0)

    @kernel
    def solve(x, out):
        for i in range(x.size): out[i] = horner(x[i])

A `kernel` is compiled at its first call with given argument types, runs without the interpreter's lock (a
thread pool drives it), divides by zero as numpy does and knows no fast-math: a kernel that wants a fused
multiply-add says `fma`. Compiling takes seconds, so machine code is kept on disk.

Where it is kept: ``NUMBA_CACHE_DIR`` if that is set, else ``__pycache__`` beside this file, the user's cache
folder (``XDG_CACHE_HOME``, else ``~/.cache``), a private folder in the temporary folder; else nowhere, and
every process compiles anew. A file is read from the first place that has it and written to the first that
takes it. A cache that is missing, torn, stale, full or read-only costs time and no more. Cached code is run
as it is read, so places outside the package must belong to the user alone.

What decides whether code is reused: the folder is named after the sources of the whole ``pricing`` and
``smile`` packages and the versions of Python, numpy, numba and llvmlite; the file after the kernel, its
argument types, numba's switches, and the operating system, CPU model and CPU features as numba describes
them, so that machines of different kinds can share a folder. Constants must therefore be in the sources, not
in data files. Each file begins with a digest of all this and its content, and is put in place whole.

Why not numba's own cache: it raises where it finds no folder, a damaged file or a full disk; without a home
it makes a folder named ``~``; it looks only at the file that defines a kernel, not at what the kernel takes
from others; and it numbers its files, so that two processes saving at once can leave the code for one kind of
argument under the entry of another.

Forking waits until no thread is compiling (`volskew.loading`): the child would inherit numba's compiler lock
with nobody left to release it.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import stat
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

import numba
import numpy as np
from numba.core import compiler, config, runtime, serialize, types
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

from volskew.errors import SettingsError
from volskew.loading import hold_during_fork, importing

__all__ = [
    "bits_to_float",
    "float_to_bits",
    "fma",
    "inlined",
    "is_kept",
    "kernel",
    "use_widest_vectors",
]

P = ParamSpec("P")
R = TypeVar("R")

# numba is typed here and there; where it is, it is not typed for this use
_numba: Any = numba
_compiler: Any = compiler
_config: Any = config
_serialize: Any = serialize
_runtime: Any = runtime
_llvm: Any = import_module("llvmlite")  # numba has imported it

_OPTIONS = {"nogil": True, "error_model": "numpy", "boundscheck": False}

_SWITCHES = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")
"""Settings of numba that change the code it makes and that its description of the CPU leaves out."""

_SOURCES = Path(__file__).absolute().parent
_ROOMS = (_SOURCES, _SOURCES.parent / "smile")
"""Folders whose kernels take from each other: a change in any of their files outdates all machine code."""
_FOLDER = "volskew-kernels-"
_SUFFIX = ".kernel"
_PARTIAL = ".part"
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - see _Place for the care; tempfile would add the current folder
_KEPT = 4
"""Folders of other sources that stay: other installations, a branch one returns to."""


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` at its first call with given argument types, or take its code from the cache.

    Parameters
    ----------
    function : callable
        Written in the part of Python that numba compiles. It may call `inlined` helpers, other kernels and
        the building blocks below.

    Returns
    -------
    callable
        Numba's dispatcher, under the type of `function`.

    Raises
    ------
    SettingsError
        Numba is told not to compile (``NUMBA_DISABLE_JIT``).
    """
    dispatcher = _dispatcher(function, _OPTIONS)
    dispatcher._cache = _Cache(function)  # noqa: SLF001 - its public door leads to numba's own cache alone
    return cast("Callable[P, R]", dispatcher)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Make `function` a helper that becomes a part of every kernel that calls it.

    It has no cache of its own: its code is in its callers'. LLVM does the inlining (numba's own, on its
    intermediate code, gave the same machine code no sooner).

    Parameters
    ----------
    function : callable
        As for `kernel`.

    Returns
    -------
    callable
        Numba's dispatcher, under the type of `function`.

    Raises
    ------
    SettingsError
        Numba is told not to compile (``NUMBA_DISABLE_JIT``).
    """
    return cast("Callable[P, R]", _dispatcher(function, {**_OPTIONS, "forceinline": True}))


def is_kept(name: str) -> bool:
    """Whether machine code of a kernel, for arguments of any kind, is on disk for the present sources.

    Parameters
    ----------
    name : str
        Of the kernel's function.
    """
    leaf = _leaf()
    if leaf is None:
        return False
    try:
        return any(
            next(place.folder(leaf).glob(f"{name}-*{_SUFFIX}"), None) is not None for place in _places()
        )
    except OSError:
        return False


def _dispatcher(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    if _config.DISABLE_JIT:
        msg = "NUMBA_DISABLE_JIT is set, but volskew's kernels run compiled only. Accepted: unset it, or 0."
        raise SettingsError(msg)
    return _numba.njit(**options)(function)


def _fma(_context: Any, _a: Any, _b: Any, _c: Any) -> Any:
    signature = types.float64(types.float64, types.float64, types.float64)
    return signature, lambda _target, builder, _signature, arguments: builder.fma(*arguments)


def _float_to_bits(_context: Any, _x: Any) -> Any:
    return types.int64(types.float64), _bitcast


def _bits_to_float(_context: Any, _bits: Any) -> Any:
    return types.float64(types.int64), _bitcast


def _bitcast(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return builder.bitcast(arguments[0], target.get_value_type(signature.return_type))


def _use_widest_vectors(_context: Any) -> Any:
    def generate(target: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        # past llvmlite's list of attributes, which has none of those that LLVM takes as text
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return target.get_dummy_value()

    return types.void(), generate


fma = cast("Callable[[float, float, float], float]", intrinsic(_fma))
"""``a * b + c`` rounded once. One instruction where the CPU has it, a slow but exact call elsewhere."""

float_to_bits = cast("Callable[[float], int]", intrinsic(_float_to_bits))
"""The 64 bits of a double as an int64."""

bits_to_float = cast("Callable[[int], float]", intrinsic(_bits_to_float))
"""The double that has the bits of an int64."""

use_widest_vectors = cast("Callable[[], None]", intrinsic(_use_widest_vectors))
"""Let the loops of the kernel that calls this use 512-bit registers where the CPU has them.

LLVM shuns them on older CPUs, whose clock they lower a little: long loops of arithmetic gain 1.4 times, short
ones may lose. No bit of a result changes.
"""


class _Cache:
    """The cache of one kernel, with the methods that numba's dispatcher calls.

    Nothing here may raise: whatever goes wrong, among it numba's internals having moved, is "not cached".

    Parameters
    ----------
    function : callable
        The kernel before compiling.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        code = function.__code__
        self._name = re.sub(r"\W+", "-", function.__qualname__)
        self._closure = function.__closure__ or ()
        # Bytecode: what is compiled is what was imported, which need not be what the file says by now.
        self._identity = (
            function.__module__,
            function.__qualname__,
            code.co_firstlineno,
            hashlib.sha256(code.co_code + repr(code.co_names).encode()).hexdigest(),
        )
        # A kernel from outside these rooms (a test's, say) is in no folder's name, so its file counts too.
        own = Path(code.co_filename).absolute()
        self._own_file = "" if any(own.is_relative_to(room) for room in _ROOMS) else _digest_of_file(own)

    @property
    def cache_path(self) -> str | None:
        """The folder that is tried first, for numba's statistics."""
        leaf = _leaf()
        return next((str(place.folder(leaf)) for place in _places()), None) if leaf else None

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Machine code for `signature`, or None."""
        try:
            leaf = _leaf()
            key = self._key(signature, target.codegen())
            if leaf is None or key is None:
                return None
            for place in _places():
                data = place.read(leaf, self._file(key), key)
                if data is not None:
                    called, reduced = pickle.loads(data)  # noqa: S301 - see _Place.read
                    _prepare_to_run(target, called)
                    return _compiler.CompileResult._rebuild(target, *reduced)  # noqa: SLF001
        except Exception:  # noqa: BLE001 - see the class
            return None
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep the machine code of `signature` for later processes."""
        try:
            leaf = _leaf()
            key = self._key(signature, result.codegen)
            if leaf is None or key is None:
                return
            if result.library.has_dynamic_globals or any(not part.can_cache for part in result.lifted):
                return  # it holds addresses of this process
            called = _names_called(result.library.get_llvm_str())
            data = _serialize.dumps((called, result._reduce()))  # noqa: SLF001
            for place in _places():
                if place.write(leaf, self._file(key), key, data):
                    return
        except Exception:  # noqa: BLE001 - see the class
            return

    def flush(self) -> None:
        """Forget nothing: a file is what its name says, so there is nothing to flush."""

    def enable(self) -> None:
        """Stay enabled."""

    def disable(self) -> None:
        """Stay enabled."""

    def _key(self, signature: Any, codegen: Any) -> bytes | None:
        """All that decides about the code beside the folder's name; None where it cannot be told."""
        captured = [cell.cell_contents for cell in self._closure]
        if self._own_file is None or not all(
            isinstance(value, bool | int | float | str) for value in captured
        ):
            return None
        switches = [(name, getattr(_config, name, None)) for name in _SWITCHES]
        whole = (self._identity, self._own_file, captured, signature, codegen.magic_tuple(), switches)
        return repr(whole).encode()

    def _file(self, key: bytes) -> str:
        return f"{self._name[:60]}-{hashlib.sha256(key).hexdigest()[:24]}{_SUFFIX}"


def _names_called(text: str) -> list[str]:
    """What a module of LLVM takes from outside."""
    names = re.findall(r'^declare [^@]*@"?([^"(]+)"?\(', text, re.MULTILINE)
    names += re.findall(r'^@"?([^" ]+)"? = external ', text, re.MULTILINE)
    return sorted({name for name in names if not name.startswith("llvm.")})


def _prepare_to_run(target: Any, called: list[str]) -> None:
    """Make numba ready to run machine code that takes `called` from outside.

    Numba readies its whole compiler before it reads a cache, which is half of a short process. To run code it
    is enough that every address is known; if one is not, LLVM would end the process, so then the long way.
    """
    _runtime.rtsys.initialize(target)
    if not all(_llvm.binding.address_of_symbol(name) for name in called):
        target.refresh()


class _Place(NamedTuple):
    """A folder that may hold folders of machine code.

    Attributes
    ----------
    parent : Path
        Absolute.
    private : bool
        Others may write near it, so that it and what it holds must be the user's alone. Its own parent may
        be made, nothing above.
    """

    parent: Path
    private: bool

    def folder(self, leaf: str) -> Path:
        """Where the files of the present sources are."""
        return self.parent / leaf

    def read(self, leaf: str, name: str, key: bytes) -> bytes | None:
        """Content of a file that was written here under `key`, or None.

        The caller unpickles it, which can run anything. So in a private place the file itself must be the
        user's, checked on the open file; elsewhere who may write it may as well change the package.
        """
        folder = self.folder(leaf)
        try:
            if self.private and not _is_ours(folder.lstat()):
                return None
            # not through a symbolic link: it would be somebody else's choice of file
            descriptor = os.open(folder / name, os.O_RDONLY | _flag("O_NOFOLLOW") | _flag("O_BINARY"))
            with os.fdopen(descriptor, "rb") as file:
                if self.private and not _is_ours(os.fstat(descriptor)):
                    return None
                digest, data = file.read(hashlib.sha256().digest_size), file.read()
        except OSError:
            return None
        return data if digest == _digest(key, data) else None

    def write(self, leaf: str, name: str, key: bytes, data: bytes) -> bool:
        """Write a file whole or not at all; whether it was written."""
        folder = self.folder(leaf)
        partial = folder / f"{name}.{os.urandom(8).hex()}{_PARTIAL}"
        try:
            new = self._prepare(folder)
            # never wider than 0644, or the reader of a private place would refuse it
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _flag("O_BINARY")
            descriptor = os.open(partial, flags, 0o644)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(_digest(key, data) + data)
                partial.replace(folder / name)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
        except OSError:
            return False
        if new:
            _prune(self.parent, leaf)
        return True

    def _prepare(self, folder: Path) -> bool:
        """Make `folder`; whether it is new."""
        new = not folder.exists()
        if not self.private:
            folder.mkdir(parents=True, exist_ok=True)
            return new
        for path in (self.parent.parent, self.parent, folder):
            path.mkdir(mode=0o700, exist_ok=True)
            if path != self.parent.parent and not _is_ours(path.lstat()):
                msg = f"{path} is not ours alone"
                raise PermissionError(msg)
        return new


def _places() -> Iterator[_Place]:
    asked = _asked()
    if asked is not None:
        yield _Place(asked, private=False)
        if os.access(asked, os.W_OK | os.X_OK):
            return
    yield _Place(_SOURCES / "__pycache__", private=False)
    for base in _user_folders():
        yield _Place(base / "volskew", private=True)
    whose = f"volskew-{os.geteuid()}" if hasattr(os, "geteuid") else "volskew"
    for name in (*(os.environ.get(key, "") for key in ("TMPDIR", "TEMP", "TMP")), *_TEMPORARY):
        base = Path(name)
        if base.is_absolute() and _status_of_folder(base):
            yield _Place(base / whose, private=True)


def _asked() -> Path | None:
    """The folder that the user gave numba, made if need be; None if there is none."""
    text = _config.CACHE_DIR
    if not text:
        return None
    try:
        path = Path(text).expanduser().absolute()
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: "~" without a home
        return None
    return path


def _user_folders() -> Iterator[Path]:
    candidates = [Path(os.environ.get(name, "")) for name in ("XDG_CACHE_HOME", "LOCALAPPDATA")]
    home = os.environ.get(
        "HOME"
    )  # not expanduser: without HOME it asks the system, which may not know the user
    if home:
        candidates.append(Path(home) / ".cache")
    for base in candidates:
        # one who works under another user's HOME (sudo) leaves nothing there and trusts nothing there
        nearest = _status_of_folder(base) or _status_of_folder(base.parent)
        if base.is_absolute() and nearest and _is_owned(nearest):
            yield base


def _status_of_folder(path: Path) -> os.stat_result | None:
    """Status of a folder; None if it is none, or hidden from us (where ``Path.is_dir`` may raise)."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status if stat.S_ISDIR(status.st_mode) else None


def _is_owned(status: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


def _is_ours(status: os.stat_result) -> bool:
    """Whether a folder or file, not a link, is the user's and nobody else may write it."""
    if not hasattr(os, "geteuid"):
        return True
    plain = stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)
    return plain and _is_owned(status) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _flag(name: str) -> int:
    return int(getattr(os, name, 0))


def _digest(key: bytes, data: bytes) -> bytes:
    return hashlib.sha256(len(key).to_bytes(8, "big") + key + data).digest()


def _digest_of_file(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None  # typed at a prompt, or inside an archive


def _fingerprint() -> str | None:
    """What all kernels depend on: the package's sources and the versions of what compiles them."""
    versions = (
        numba.__version__,
        _llvm.__version__,
        np.__version__,
        sys.implementation.cache_tag,
    )
    whole = hashlib.sha256(repr((versions, getattr(sys, "abiflags", ""))).encode())
    try:
        # the package's own __init__ states its version
        rooms = (path for room in _ROOMS for path in sorted(room.rglob("*.py")))
        files = [_SOURCES.parent / "__init__.py", *rooms]
        for path in files:
            content = path.read_bytes()
            whole.update(f"{path.relative_to(_SOURCES.parent).as_posix()} {len(content)} ".encode())
            whole.update(content)
    except OSError:
        return None
    return whole.hexdigest()[:16]


_IMPORTED = _fingerprint()


def _leaf() -> str | None:
    """Name of the folder for the present sources; None where they are unreadable or were changed meanwhile.

    A process that runs old sources after an upgrade must not leave its code under the new ones' name.
    """
    return f"{_FOLDER}{_IMPORTED}" if _IMPORTED and _fingerprint() == _IMPORTED else None


def _prune(parent: Path, leaf: str) -> None:
    """Remove the folders of sources long gone; another process may be doing the same."""
    try:
        pattern = re.compile(re.escape(_FOLDER) + r"[0-9a-f]{16}")
        with os.scandir(parent) as entries:
            others = [
                (entry.stat().st_mtime, Path(entry.path))
                for entry in entries
                if pattern.fullmatch(entry.name)
                and entry.name != leaf
                and entry.is_dir(follow_symlinks=False)
            ]
        for _, folder in sorted(others, reverse=True)[_KEPT:]:
            for path in folder.iterdir():
                if path.suffix in {_SUFFIX, _PARTIAL}:
                    path.unlink(missing_ok=True)
            folder.rmdir()  # refuses a folder that holds what is not ours
    except OSError:
        return


with importing:
    hold_during_fork(global_compiler_lock)
