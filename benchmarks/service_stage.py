"""A data directory with rows to read, and servers in processes of their own."""

import base64
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import jwt
import msgspec

from airside.adapters.redis_servers import connect
from airside.adapters.redis_view_store import RedisViewStore
from airside.settings import Settings
from airside.wiring import open_deployment
from benchmarks.measure import tree_seconds
from benchmarks.service_load import ACCOUNTS
from projectors.all import PROJECTIONS
from projectors.downloads import PROJECTION as DOWNLOADS
from projectors.generations import ensure_serving, serving
from projectors.keys import DAY_MS
from projectors.projection import Projection
from projectors.timeline import PROJECTION as TIMELINE
from projectors.view_store import Checkpoint
from schemas import events
from schemas.envelope import Event
from schemas.record import shard_of

SHARDS = 8
PAUSE_SECONDS = 0.05
SECRET = b"only for this benchmark, and no more"
AT = 1_795_500_000_000
TITLES = 6  # of an account: rows of some 400 bytes


def account_of(n: int) -> str:
    """An account's id."""
    return f"account-{n}"


class Stage:
    """Rows of ACCOUNTS accounts, folded from a few events each, in a Valkey that runs."""

    def __init__(self, folder: Path, views: str) -> None:
        self.views = views
        self.settings = Settings(data=folder.absolute() / "data", views=views, shards=SHARDS)
        with open_deployment(self.settings):
            pass  # it lays itself out
        self.keys = folder / "keys.json"
        secret = base64.urlsafe_b64encode(SECRET).rstrip(b"=").decode()
        key = {"kty": "oct", "kid": "bench", "k": secret}
        self.keys.write_bytes(msgspec.json.encode({"keys": [key]}))
        claims = {"sub": "bench", "aud": "airside", "scope": "support", "exp": 2**31}
        self.token = jwt.encode(claims, SECRET, "HS256", headers={"kid": "bench"})
        self.store = RedisViewStore(views)
        self._history = {account_of(n): _events(account_of(n)) for n in range(ACCOUNTS)}
        self.seqs = [0] * SHARDS
        self._save_all()

    def close(self) -> None:
        """Let go of the rows."""
        self.store.close()

    def body(self) -> bytes:
        """The row that is read by its key, of one of them: all are of one size."""
        generation = serving(self.store.registry(DOWNLOADS.name))
        shard = shard_of(account_of(500), SHARDS)
        return (
            self.store.rows(generation, shard, [account_of(500)]).rows[account_of(500)] or b""
        )

    def happens(self, account_id: str) -> int:
        """One more event of an account: its timeline's rows, and their shard's new seq."""
        history = self._history[account_id]
        history.append(_issued(account_id, len(history) + 1))
        shard = shard_of(account_id, SHARDS)
        self._save(TIMELINE, shard, _rows_of(TIMELINE, history), self.seqs[shard] + 1)
        self._save(DOWNLOADS, shard, _rows_of(DOWNLOADS, history), self.seqs[shard] + 1)
        self.seqs[shard] += 1
        return self.seqs[shard]

    def _save_all(self) -> None:
        for projection in PROJECTIONS:
            ensure_serving(
                self.store, projection.name, fingerprint="bench", now_at=AT, shards=SHARDS
            )
        shards: list[list[Event]] = [[] for _ in range(SHARDS)]
        for account_id, history in self._history.items():
            shards[shard_of(account_id, SHARDS)] += history
        for shard, some in enumerate(shards):
            for projection in PROJECTIONS:
                self._save(projection, shard, _rows_of(projection, some), len(some))
            self.seqs[shard] = len(some)
        with connect(self.views, timeout_seconds=5.0) as client:
            body = self.body()
            client.mset({f"plain:{account_of(n)}": body for n in range(ACCOUNTS)})
            client.connection_pool.disconnect()

    def _save(
        self, projection: Projection[Any], shard: int, rows: dict[str, bytes], seq: int
    ) -> None:
        generation = serving(self.store.registry(projection.name))
        self.store.save(
            generation,
            shard,
            expected=self.store.rows(generation, shard, ()).checkpoint,
            checkpoint=Checkpoint(seq, seq, AT),
            rows=rows,
        )


@dataclass(frozen=True, slots=True)
class Server:
    """One that answers."""

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """Processor time of the process so far."""
        return tree_seconds(self.pid)


@contextmanager
def serving_rows(stage: Stage) -> Iterator[Server]:
    """The query service, with tokens and without a limit of requests, when it is ready."""
    options = ["--port", "0", "--keys", str(stage.keys), "--rate", "0"]
    command = ["airside", "serve", *options]
    with _process(command, stage.settings.environment()) as server:
        while httpx.get(f"{server.url}/readyz").status_code != HTTPStatus.OK:
            time.sleep(PAUSE_SECONDS)
        yield server


def serving_plainly(stage: Stage) -> AbstractContextManager[Server]:
    """Its floor: see service_plain.py."""
    return _process(["benchmarks.service_plain", stage.views, str(len(stage.body()))], {})


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[Server]:
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process, closing(process.stderr):
        said = ""
        while not (found := re.search(r"http://[\d.]+:\d+", said)):
            line = process.stderr.readline()
            if not line:
                raise RuntimeError(f"{command[0]} did not start: {said}")
            said += line
        try:
            yield Server(found[0], process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()


def _events(account_id: str) -> list[Event]:
    opened = events.AccountOpened(**_envelope(account_id, 1), plan_id="standard", country="DE")
    return [opened, *(_issued(account_id, n) for n in range(2, 2 + TITLES))]


def _issued(account_id: str, version: int) -> Event:
    return events.LicenseIssued(
        **_envelope(account_id, version),
        license_id=f"{version:032x}",
        device_id=f"device-{version % 3}",
        title_id=f"title-{version % TITLES}",
        studio_id="studio",
        counted=True,
        expires_at=AT + 30 * DAY_MS,
        limit=40,
        used=1,
        window_s=365 * 86_400,
        device_limit=None,
        play_window_s=None,
        profile_id="main",
        drm="widevine",
        quality="hd",
    )


def _envelope(account_id: str, version: int) -> dict[str, Any]:
    return {
        "seq": version,
        "version": version,
        "at": AT + version,
        "issued_at": AT,
        "catalog_version": 1,
        "command_id": f"{version:032x}",
        "account_id": account_id,
        "actor": "member",
    }


def _rows_of(projection: Projection[Any], some: Iterable[Event]) -> dict[str, bytes]:
    rows: dict[str, Any] = {}
    for event in some:
        fold = projection.folds.get(type(event))
        if fold is not None:
            for key in projection.keys(event):
                row = rows[key] if key in rows else projection.initial(key)
                rows[key] = fold(row, event)
    return {key: msgspec.json.encode(row) for key, row in rows.items()}
