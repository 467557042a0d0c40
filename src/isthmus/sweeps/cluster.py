"""A Dask cluster as the place where parallel work runs."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from isthmus.errors import MissingExtraError, OptionError

_PATIENCE = 5  # seconds
_FEWEST = 2  # worker threads
_ADDRESS = re.compile(r"(\w+://)?[^/]+:\d+")


@contextmanager
def dask_cluster(address: str) -> Iterator[None]:
    """Run what is parallel inside on the cluster of a scheduler.

    Args:
        address: Of the scheduler, such as `tcp://127.0.0.1:8786`.

    Raises:
        MissingExtraError: If `distributed` is not installed.
        OptionError: If nobody answers there within seconds, no worker is there, or its isthmus is another one.
    """
    try:
        import joblib
        from distributed import Client
    except ImportError as absent:
        raise MissingExtraError("A cluster", "distributed", "dask") from absent
    requirement = "the address at which a Dask scheduler answers, such as tcp://127.0.0.1:8786"
    if not _ADDRESS.fullmatch(address):
        raise OptionError("--scheduler", address, requirement)
    try:
        connect: Any = Client
        client = connect(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as nobody:
        raise OptionError("--scheduler", address, requirement) from nobody
    with _quiet(), client:
        _check_workers(client, address)
        with joblib.parallel_config(backend="dask", client=client):
            yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Let what Dask logs of a scheduler that is lost be silent: an error says it."""
    logger = logging.getLogger("distributed.client")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _check_workers(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as none:
        raise OptionError("--scheduler", address, "that of a scheduler with workers; start `dask worker`") from none
    if sum(client.nthreads().values()) < _FEWEST:  # joblib would run the jobs of a single one in this process
        raise OptionError("--scheduler", address, "that of a scheduler with two worker threads or more; start another")
    try:
        found = set(client.run(version, "isthmus").values())
    except ImportError:  # PackageNotFoundError is one
        found = set()
    if found != {_version()}:
        theirs = ", ".join(sorted(found)) or "none"
        requirement = f"that of a cluster whose workers have isthmus {_version()}, not {theirs}"
        raise OptionError("--scheduler", address, requirement)


def _version() -> str:
    return version("isthmus")
