"""The stored row by its key, past the layers: most requests are of this kind.

It takes only what it answers with 200 or 304 (quick.py); what its resource in
operations_resources.py would answer is what it answers, byte for byte.
"""

import time
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from airside.serving.answers import row_etag
from airside.serving.service import Service
from airside.web.handler import Edge
from airside.web.hosts import is_here
from airside.web.negotiation import COMPRESSED_FROM_BYTES, has_already
from airside.web.quick import Answered
from airside.web.rates import Rates
from airside.web.tokens import ANYBODY, Caller
from projectors.all import PROJECTIONS
from projectors.keys import by_account
from queries.finding import Found, Need
from schemas.envelope import ID_CHARACTERS_MAX
from schemas.errors import AirsideError
from schemas.record import shard_of

ROUTE = "/v1/projections/{projection}/rows/{key}"
BEGINNING, MIDDLE, QUERY = b"/v1/projections/", b"/rows/", b"account_id="
PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~:@")
ACCEPTED = (b"*/*", b"application/json")

_HEAD = (
    b"%bx-request-id: %b\r\nx-content-type-options: nosniff\r\n"
    b"cache-control: private, no-cache\r\nvary: accept-encoding, authorization\r\n"
    b"airside-generation: %b\r\nairside-version: %d:%d\r\netag: %b\r\n"
)
_OF_BODY = b"content-type: application/json\r\ncontent-length: %d\r\n"


class _Versioned(Struct):
    version: int = 0


class ByKey:
    """The quick way of one process."""

    def __init__(self, service: Service, edge: Edge) -> None:
        self._service, self._edge = service, edge
        self._names = {one.name.encode(): one.name for one in PROJECTIONS if _is_plain(one)}

    def __call__(self, scope: dict[str, Any], answered: Answered) -> bool:
        """See Quick."""
        path, edge = scope["raw_path"], self._edge
        if not path.startswith(BEGINNING) or scope["method"] != "GET":
            return False
        name, _, key = path[len(BEGINNING) :].partition(MIDDLE)
        projection, query = self._names.get(name), scope["query_string"]
        if projection is None or query != QUERY + key or not _is_id(key):
            return False
        sent = _Sent(scope["headers"])
        if not sent.is_usual or edge.in_flight >= edge.in_flight_max:
            return False
        account_id = key.decode()
        try:
            caller = self._caller(sent, account_id)
            reads = self._service.reads
        except AirsideError:
            return False
        if caller is None or not self._may_now(caller):
            return False
        shard = shard_of(account_id, reads.shards)
        need = Need(projection, (account_id,), shard)
        edge.in_flight += 1
        done = partial(self._found, need, sent, caller, answered, time.monotonic())
        reads.at_once(need, done)
        return True

    def _caller(self, sent: "_Sent", account_id: str) -> Caller | None:
        """Who asks; None where that is not simply allowed. Raises: Rejected."""
        if self._edge.tokens is None:
            return ANYBODY if is_here(sent.hosts) else None
        caller = self._edge.tokens.caller(sent.authorization)
        is_own = caller.scope != "member" or caller.subject == account_id
        return caller if is_own else None

    def _may_now(self, caller: Caller) -> bool:
        rates = self._rates(caller)
        return rates is None or rates.wait_seconds(caller.subject) == 0.0

    def _rates(self, caller: Caller) -> Rates | None:
        if caller.is_local:
            return None
        return self._edge.rates if caller.scope == "member" else self._edge.staff_rates

    def _found(
        self,
        need: Need,
        sent: "_Sent",
        caller: Caller,
        answered: Answered,
        started: float,
        found: Found | None,
    ) -> None:
        edge = self._edge
        edge.in_flight -= 1
        answer = None if found is None else self._answer(need, sent, found)
        if answer is None:
            rates = self._rates(caller)
            if rates is not None:
                rates.forgive(caller.subject)  # the usual way counts it again
            answered(None)
            return
        status, head, body = answer
        answered((head, body))
        edge.observe(ROUTE, status, time.monotonic() - started)

    def _answer(
        self, need: Need, sent: "_Sent", found: Found
    ) -> tuple[int, bytes, bytes] | None:
        rows = found.parts[0]
        body = rows.rows[need.keys[0]]
        if body is None or (len(body) >= COMPRESSED_FROM_BYTES and sent.takes_encodings):
            return None
        try:
            etag = row_etag(body, _version(body).version)
        except msgspec.MsgspecError:
            return None
        is_known = sent.known is not None and has_already(sent.known, etag)
        status = 304 if is_known else 200
        head = _HEAD % (
            STATUS_LINE[status],
            self._edge.request_id().encode(),
            found.generation.name.encode(),
            need.shard,
            rows.checkpoint.seq,
            etag.encode(),
        )
        return (status, head, b"") if is_known else (status, head + _OF_BODY % len(body), body)


class _Sent:
    """The headers that matter."""

    __slots__ = ("authorization", "hosts", "is_usual", "known", "takes_encodings")

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        self.authorization: bytes | None = None
        self.hosts: list[bytes] = []
        self.known: str | None = None
        self.is_usual, self.takes_encodings = True, False
        for name, value in headers:
            if name == b"authorization":
                self.is_usual &= self.authorization is None
                self.authorization = value
            elif name == b"if-none-match":
                self.is_usual &= self.known is None
                self.known = value.decode("latin-1")
            elif name == b"accept":
                self.is_usual &= value in ACCEPTED
            elif name == b"accept-encoding":
                self.takes_encodings = True
            elif name == b"host":
                self.hosts.append(value)


def _is_plain(projection: Any) -> bool:
    """Its keys are the accounts' ids."""
    return projection.merge is None and projection.keys is by_account


def _is_id(key: bytes) -> bool:
    """One that is written in a URL as it is."""
    return 0 < len(key) <= ID_CHARACTERS_MAX and PLAIN.issuperset(key)


_version = msgspec.json.Decoder(_Versioned).decode
