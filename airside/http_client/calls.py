"""Requests that are tried again: patiently, with a bound, and each time exactly the same."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import httpx

from airside.http_client.problems import Unreachable, problem_of, retry_after

TRY_AGAIN = frozenset((429, 502, 503, 504))
PAUSE_SECONDS_MIN = 0.1  # it doubles, and a random part of it is waited
PAUSE_SECONDS_MAX = 5.0
RETRY_AFTER_SECONDS_MAX = 30.0  # a longer one is for the caller to wait


class Calls:
    """One connection pool and one token. Threads may share it."""

    def __init__(
        self,
        client: httpx.Client,
        token: str | Callable[[], str] | None,
        *,
        attempts_max: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._token = client, token
        self._attempts_max = attempts_max
        self._sleep = sleep

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: httpx.Timeout | None = None,
    ) -> httpx.Response:
        """An answer of success. Only requests that may be repeated come here.

        Raises: Problem; Unreachable when the last attempt had no answer.
        """
        for attempt in range(1, self._attempts_max + 1):
            is_last = attempt == self._attempts_max
            try:
                response = self._client.request(
                    method,
                    url,
                    params=params,
                    content=content,
                    headers=self.headers(headers),
                    timeout=timeout or httpx.USE_CLIENT_DEFAULT,
                )
            except httpx.TransportError as error:
                if is_last:
                    raise unreachable(url, error) from error
                self.pause(attempt, None)
                continue
            after = retry_after(response)
            too_long = after is not None and after > RETRY_AFTER_SECONDS_MAX
            if response.status_code not in TRY_AGAIN or is_last or too_long:
                if response.is_success:
                    return response
                raise problem_of(response)
            self.pause(attempt, after)
        raise AssertionError("at least one attempt is made")

    @contextmanager
    def stream(
        self, url: str, headers: Mapping[str, str], timeout: httpx.Timeout
    ) -> Iterator[httpx.Response]:
        """An answer whose body is read as it comes. Raises: Problem, httpx.TransportError."""
        with self._client.stream(
            "GET", url, headers=self.headers(headers), timeout=timeout
        ) as response:
            if not response.is_success:
                response.read()
                raise problem_of(response)
            yield response

    def headers(self, more: Mapping[str, str] | None) -> dict[str, str]:
        """These and the token, asked for anew each time where it is a function."""
        token = self._token() if callable(self._token) else self._token
        token = (token or "").strip()  # out of a file it ends with a line break
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        return {**bearer, **(more or {})}

    def pause(self, attempt: int, after_seconds: float | None) -> None:
        """Wait before the next attempt: as told, else longer each time, never all at once."""
        most = min(PAUSE_SECONDS_MIN * 2 ** (attempt - 1), PAUSE_SECONDS_MAX)
        jitter = random.uniform(0, most)
        self._sleep(jitter if after_seconds is None else after_seconds + jitter)


def unreachable(url: str, error: Exception) -> Unreachable:
    """Why nobody answered, in words."""
    return Unreachable(
        f"{url.partition('?')[0]}: no answer ({type(error).__name__}: {error}). Is the service "
        "running, and reachable from here?"
    )


def whole_timeout(seconds: float, more_seconds: float = 0.0) -> httpx.Timeout:
    """A timeout for connecting and for each read; `more_seconds` are the server's to wait."""
    return httpx.Timeout(seconds, read=seconds + more_seconds)
