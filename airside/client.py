"""A typed client of the query service and the gateway.

    from airside.client import Airside

    with Airside("https://query.example", gateway_url="https://gateway.example",
                 token=token) as airside:
        sent = airside.send("a1", "AcquireLicense", device_id="d1", title_id="t1")
        if sent.outcome is not None and sent.outcome.status == "refused":
            print(sent.explanation)                    # an outcome, not an exception
        for license in airside.licenses("a1", state="ACTIVE").licenses:
            print(license.title_id, license.expires_at)      # has what was just sent

What is sent has its idempotency key before the first attempt, so it is tried again without fear
when an answer gets lost: a command takes effect at most once. Where every attempt failed, send
it again with the same `key`. Errors are drawn in `airside/http_client/problems.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec.structs import replace

from airside.gateway.answers import BatchAnswer, CommandAnswer
from airside.http_client.calls import Calls, whole_timeout
from airside.http_client.events import LiveEvent, LiveEvents
from airside.http_client.keys import Keys
from airside.http_client.versions import Versions
from projectors.licenses import State
from queries.across import ExpiringAnswer, RefusalsAnswer, TallyAnswer
from queries.can_download import DryRun
from queries.devices import DevicesAnswer
from queries.downloads import DownloadsAnswer, TitleAnswer
from queries.licenses import LicensesAnswer, OneLicenseAnswer
from queries.outcomes import OutcomeAnswer
from queries.timeline import TimelineAnswer, TimelineEntry

T = TypeVar("T")

TIMEOUT_SECONDS = 10.0  # to connect, and for each part of an answer
WAIT_SECONDS = 5  # for the outcome of a command, unless the caller says otherwise
ATTEMPTS_MAX = 5
FRESH_SECONDS = 5.0  # that a read waits for this client's own writes
PAGE_MAX = 1_000


class Next(msgspec.Struct, frozen=True):
    """Where the page after this one begins."""

    next: str | None = None


class Airside:
    """A client. Threads may share it; close it, or use it as a context.

    `token` is a bearer token, or a function that gives one that is still valid. With
    `gateway_url` left out, commands go to `base_url` too (a proxy in front of both).
    `transport` is httpx's, for tests and proxies.
    """

    def __init__(
        self,
        base_url: str,
        *,
        gateway_url: str | None = None,
        token: str | Callable[[], str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        attempts_max: int = ATTEMPTS_MAX,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._reads = base_url.rstrip("/")
        self._writes = (gateway_url or base_url).rstrip("/")
        self._client = httpx.Client(timeout=timeout_seconds, transport=transport)
        self._calls = Calls(self._client, token, attempts_max=attempts_max)
        self._timeout_seconds, self._attempts_max = timeout_seconds, attempts_max
        self._versions = Versions()
        self._keys = Keys()

    def __enter__(self) -> "Airside":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def new_key(self) -> str:
        """A key to send with, for a caller that wants to keep it across its own crash."""
        return self._keys.new()

    # commands

    def send(
        self,
        account_id: str,
        command_type: str,
        *,
        key: str | None = None,
        wait_seconds: int = WAIT_SECONDS,
        **fields: Any,
    ) -> CommandAnswer:
        """Send one command; its outcome where it comes within `wait_seconds`, else None.

        `fields` are the command's own, as `airside send COMMAND --describe` lists them.
        Raises: Problem; Unreachable, after which the same `key` sends it again safely.
        """
        body = {**fields, "type": command_type}
        answer = self._post(account_id, "commands", body, key, wait_seconds, CommandAnswer)
        self._versions.wrote(account_id, answer.token)
        return answer

    def send_batch(
        self,
        account_id: str,
        commands: Sequence[Mapping[str, Any]],
        *,
        key: str | None = None,
        wait_seconds: int = WAIT_SECONDS,
    ) -> BatchAnswer:
        """Send up to 100 commands in order, each `{"type": …}` and its fields.

        All are checked before the first one is sent. Raises: Problem, Unreachable.
        """
        body = {"commands": list(commands)}
        answer = self._post(account_id, "commands:batch", body, key, wait_seconds, BatchAnswer)
        self._versions.wrote(account_id, answer.token)
        return answer

    # one account: every answer has what this client has sent and seen decided

    def downloads(self, account_id: str) -> DownloadsAnswer:
        """How many downloads, what is left, and when the next is possible; every title."""
        pages = self._pages(account_id, "/downloads", DownloadsAnswer)
        titles = tuple(one for page in pages for one in page.titles)
        return replace(pages[0], titles=titles)

    def title_downloads(self, account_id: str, title_id: str) -> TitleAnswer:
        """The same of one title."""
        return self._of_account(account_id, f"/downloads/{_segment(title_id)}", TitleAnswer)

    def licenses(
        self,
        account_id: str,
        *,
        device_id: str | None = None,
        state: State | None = None,
        title_id: str | None = None,
    ) -> LicensesAnswer:
        """All licenses, or those of one device, state or title."""
        only = {"device_id": device_id, "state": state, "title_id": title_id}
        pages = self._pages(account_id, "/licenses", LicensesAnswer, **only)
        every = tuple(one for page in pages for one in page.licenses)
        return replace(pages[0], licenses=every)

    def license(self, account_id: str, license_id: str) -> OneLicenseAnswer:
        """One license. Raises: Missing."""
        return self._of_account(
            account_id, f"/licenses/{_segment(license_id)}", OneLicenseAnswer
        )

    def document(self, account_id: str, license_id: str) -> str:
        """An active license, signed for its device. Raises: Missing, Conflict if it ended."""
        path = f"/licenses/{_segment(license_id)}/document"
        return self._get_of_account(account_id, path).text

    def document_keys(self) -> dict[str, Any]:
        """The JWK Set that documents are checked with."""
        return self._get("/.well-known/jwks.json", dict[str, Any])

    def devices(self, account_id: str) -> DevicesAnswer:
        """The devices, and which slot is free."""
        return self._of_account(account_id, "/devices", DevicesAnswer)

    def timeline(self, account_id: str) -> Iterator[TimelineEntry]:
        """What happened, the latest first; pages are asked for as they are needed."""
        for page in self._each_page(account_id, "/timeline", TimelineAnswer):
            yield from page.entries

    def outcome(self, account_id: str, command_id: str) -> OutcomeAnswer:
        """What became of a command. Raises: Missing while it is not handled."""
        return self._of_account(account_id, f"/commands/{_segment(command_id)}", OutcomeAnswer)

    def can_download(self, account_id: str, device_id: str, title_id: str) -> DryRun:
        """Would a download be allowed now? Every rule that would refuse; nothing is written."""
        params = {"device_id": device_id, "title_id": title_id}
        return self._get(f"{_account(account_id)}/can-download", DryRun, params)

    def events(self, account_id: str, *, last_id: str | None = None) -> Iterator[LiveEvent]:
        """The account's state, then each change as it happens; it resumes by itself.

        With `last_id`, the id of the last event that was handled, only what came later.
        """
        url = f"{self._reads}{_account(account_id)}/events"
        return iter(LiveEvents(self._calls, url, last_id, self._attempts_max))

    # across accounts, for support and operators

    def title(self, title_id: str) -> TallyAnswer:
        """One title, over all accounts."""
        return self._get(f"/v1/titles/{_segment(title_id)}", TallyAnswer)

    def studio(self, studio_id: str) -> TallyAnswer:
        """One studio, over all accounts."""
        return self._get(f"/v1/studios/{_segment(studio_id)}", TallyAnswer)

    def expiring(self, within_seconds: int) -> ExpiringAnswer:
        """What expires soon: the first page of it; `count` says how much there is."""
        params = {"within_seconds": str(within_seconds), "limit": str(PAGE_MAX)}
        return self._get("/v1/expiring", ExpiringAnswer, params)

    def refusals(self) -> RefusalsAnswer:
        """How often each reason for a refusal was given."""
        return self._get("/v1/refusals", RefusalsAnswer)

    def operations(self, what: str) -> Any:
        """For operators: `projections`, `pipeline` or `parked`, as JSON."""
        return self._get(f"/v1/{_segment(what)}", Any)

    # how

    def _post(
        self,
        account_id: str,
        path: str,
        body: Mapping[str, Any],
        key: str | None,
        wait_seconds: int,
        kind: type[T],
    ) -> T:
        response = self._calls.request(
            "POST",
            f"{self._writes}{_account(account_id)}/{path}",
            content=msgspec.json.encode(body),
            headers={
                "Content-Type": "application/json",
                "Idempotency-Key": key or self._keys.new(),
                **({"Prefer": f"wait={wait_seconds}"} if wait_seconds else {}),
            },
            timeout=whole_timeout(self._timeout_seconds, wait_seconds),
        )
        return msgspec.json.decode(response.content, type=kind)

    def _of_account(self, account_id: str, path: str, kind: type[T]) -> T:
        return msgspec.json.decode(self._get_of_account(account_id, path).content, type=kind)

    def _get_of_account(
        self, account_id: str, path: str, params: Mapping[str, str] | None = None
    ) -> httpx.Response:
        seen = self._versions.seen(account_id)
        fresh = {} if seen is None else {"min_version": seen, "wait": f"{FRESH_SECONDS:g}"}
        return self._calls.request(
            "GET",
            f"{self._reads}{_account(account_id)}{path}",
            params={**(params or {}), **fresh},
            timeout=whole_timeout(self._timeout_seconds, FRESH_SECONDS),
        )

    def _pages(
        self, account_id: str, path: str, kind: type[T], **params: str | None
    ) -> list[T]:
        return list(self._each_page(account_id, path, kind, **params))

    def _each_page(
        self, account_id: str, path: str, kind: type[T], **params: str | None
    ) -> Iterator[T]:
        asked = {name: value for name, value in params.items() if value is not None}
        asked["limit"] = str(PAGE_MAX)
        while True:
            content = self._get_of_account(account_id, path, asked).content
            yield msgspec.json.decode(content, type=kind)
            following = msgspec.json.decode(content, type=Next).next
            if following is None:
                return
            asked["cursor"] = following

    def _get(self, path: str, kind: type[T], params: Mapping[str, str] | None = None) -> T:
        response = self._calls.request("GET", f"{self._reads}{path}", params=params)
        return msgspec.json.decode(response.content, type=kind)


def _account(account_id: str) -> str:
    return f"/v1/accounts/{_segment(account_id)}"


def _segment(text: str) -> str:
    return quote(text, safe="")
