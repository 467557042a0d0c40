"""One program at a time in a folder."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isthmus.errors import BusyFolderError

if sys.platform != "win32":
    import fcntl

_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EBADF}  # of some network file systems
_TRIES = 20  # each fails only if somebody removes the folder at that moment


@contextmanager
def locked_folder(path: Path) -> Iterator[None]:
    """Keep other programs out of a folder, which is made if it is not there.

    The lock is one of the system on the folder itself: it ends with the process, however that ends, and leaves no file.

    Raises:
        BusyFolderError: If another process, or another job of this one, is at work there.
    """
    if sys.platform == "win32":  # a folder cannot be locked there: two programs are the user's to avoid
        path.mkdir(parents=True, exist_ok=True)
        yield
        return
    descriptor = _locked(path)
    try:
        yield
    finally:
        os.close(descriptor)


def _locked(path: Path) -> int:
    """A descriptor that holds the lock of the folder that is at `path`, not of one that was removed meanwhile."""
    for _ in range(_TRIES):
        try:
            path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            _lock(descriptor, path)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise BusyFolderError(path)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as busy:
        raise BusyFolderError(path) from busy
    except OSError as refused:
        if refused.errno not in _NO_LOCKS:
            raise
