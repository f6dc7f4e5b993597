"""Load on an HTTP server from a process of its own: wrk where it is there, else a small one.

`python -m benchmarks.service_load URL TOKEN SECONDS` is the small one: every connection asks
for one of ACCOUNTS paths after the other, each as soon as it has the last answer.
"""

import asyncio
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from msgspec import Struct, json

ACCOUNTS = 1_000
CONNECTIONS = 64
STRIDE = 31  # from one path to the next
MS = {"us": 0.001, "ms": 1.0, "s": 1_000.0}

SCRIPT = """
local paths, n = {}, 0
init = function(args)
  for i = 0, %d do
    local path = string.gsub(wrk.path, "{account}", "account-" .. i)
    paths[i] = wrk.format("GET", path)
  end
end
request = function()
  n = (n + %d) %% %d
  return paths[n]
end
"""


class Load(Struct, frozen=True):
    """What one run found."""

    count: int
    seconds: float
    p50_ms: float
    p99_ms: float
    failed: int

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.count / self.seconds


def load(url: str, token: str, seconds: float, folder: Path) -> Load:
    """Ask for `url`, whose `{account}` is another one each time."""
    wrk = shutil.which("wrk")
    if wrk is None:
        command = [sys.executable, "-m", "benchmarks.service_load", url, token, f"{seconds}"]
        return json.decode(_output(command), type=Load)
    script = folder / "paths.lua"
    script.write_text(SCRIPT % (ACCOUNTS - 1, STRIDE, ACCOUNTS))
    header = f"Authorization: Bearer {token}"
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--latency"]
    return _read(_output([wrk, *options, "-H", header, "-s", f"{script}", url]).decode())


def _output(command: list[str]) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout


def _read(text: str) -> Load:
    count, seconds = _found(r"(\d+) requests in ([\d.]+)s", text)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    lost = re.findall(r"(?:connect|read|write|timeout) (\d+)", text)
    return Load(
        count=int(count),
        seconds=float(seconds),
        p50_ms=_milliseconds(*_found(r"50%\s+([\d.]+)(us|ms|s)", text)),
        p99_ms=_milliseconds(*_found(r"99%\s+([\d.]+)(us|ms|s)", text)),
        failed=(int(refused[1]) if refused else 0) + sum(map(int, lost)),
    )


def _found(pattern: str, text: str) -> tuple[str, str]:
    found = re.search(pattern, text)
    assert found is not None, text
    return cast("tuple[str, str]", found.groups())


def _milliseconds(number: str, unit: str) -> float:
    return float(number) * MS[unit]


async def small(url: str, token: str, seconds: float) -> Load:
    """The load of a machine without wrk."""
    parts = urlsplit(url)
    ends_at = time.monotonic() + seconds
    taken: list[float] = []
    failed = 0

    async def connection(number: int) -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        n = number * STRIDE
        while (began := time.monotonic()) < ends_at:
            n = (n + STRIDE) % ACCOUNTS
            path = url.removeprefix(f"http://{parts.netloc}").replace(
                "{account}", f"account-{n}"
            )
            head = f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
            writer.write(head.encode())
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = re.search(rb"content-length: (\d+)", answer)
            await reader.readexactly(int(length[1]) if length else 0)
            failed += not answer.startswith(b"http/1.1 200")
            taken.append(time.monotonic() - began)
        writer.close()

    began = time.monotonic()
    await asyncio.gather(*map(connection, range(CONNECTIONS)))
    took = sorted(taken)
    p50, p99 = (took[int(len(took) * share)] * 1_000 for share in (0.5, 0.99))
    return Load(len(took), time.monotonic() - began, p50, p99, failed)


if __name__ == "__main__":
    found = asyncio.run(small(sys.argv[1], sys.argv[2], float(sys.argv[3])))
    sys.stdout.buffer.write(json.encode(found))
