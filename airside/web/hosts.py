"""Whom a request was meant for. Without keys that has to be this machine, by its own names.

A web page may let its own name point here and have its visitor's browser ask us (DNS
rebinding): the browser says that name in `Host`, and it is all that tells such a request apart.
"""

import ipaddress
from collections.abc import Iterable

from airside.web.problems import MISDIRECTED, Rejected, rejected


def is_here(hosts: Iterable[bytes]) -> bool:
    """Whether every `Host` of a request names a loopback address; browsers always send one."""
    return all(is_loopback(_name(host)) for host in hosts)


def elsewhere() -> Rejected:
    """For a request without a token that was meant for another name."""
    return rejected(
        MISDIRECTED,
        "without keys only `localhost` and loopback addresses are answered to. Ask there, or "
        "start it with --keys to serve other names.",
    )


def is_loopback(name: str) -> bool:
    """Whether a host name or address means this machine and no other can use it."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name(host: bytes) -> str:
    """A `Host` without its port."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]
