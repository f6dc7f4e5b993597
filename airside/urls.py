"""Addresses of engines: `scheme://user:password@host:port,host:port/path?option=value`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from schemas.errors import Invalid

TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True, slots=True)
class Address:
    """One engine's address, taken apart. `str()` of it shows no password and no option."""

    scheme: str
    hosts: tuple[tuple[str, int], ...]  # (host, port), at least one
    path: str  # without slashes
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        hosts = ",".join(f"{host}:{port}" for host, port in self.hosts)
        return f"{self.scheme}://{hosts}" + (f"/{self.path}" if self.path else "")

    def text(self, option: str, default: str = "") -> str:
        """An option as it is."""
        return self.options.get(option, default)

    def number(self, option: str, default: int, *, least: int = 1) -> int:
        """An option as a whole number. Raises: Invalid."""
        found = self.options.get(option, str(default))
        if not found.isascii() or not found.isdecimal() or int(found) < least:
            raise Invalid(
                f"{self}: {option} is {found!r}. It is a whole number, at least {least}."
            )
        return int(found)

    def flag(self, option: str, *, default: bool = False) -> bool:
        """An option that is yes or no. Raises: Invalid."""
        found = self.options.get(option, str(default)).lower()
        if found not in TRUE + FALSE:
            raise Invalid(f"{self}: {option} is {found!r}. Write {option}=true or =false.")
        return found in TRUE

    def choice(self, option: str, choices: tuple[str, ...]) -> str:
        """An option that is one of these words, the first by default. Raises: Invalid."""
        found = self.options.get(option, choices[0])
        if found not in choices:
            raise Invalid(f"{self}: {option} is {found!r}. Choose of: {', '.join(choices)}.")
        return found


def parse(url: str, *, scheme: str, port: int, options: Mapping[str, str]) -> Address:
    """The address that a URL says; `options` are the known ones, each with its meaning.

    Raises: Invalid, which never shows a password.
    """
    parts = urlsplit(url)
    if parts.scheme != scheme:
        raise Invalid(
            f"an address begins with {scheme}:// here, this one with {parts.scheme or '?'}://. "
            f"Write {scheme}://host:{port}, several hosts with commas between."
        )
    login, _, hosts = parts.netloc.rpartition("@")
    user, has_password, password = login.partition(":")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    address = Address(
        scheme=scheme,
        hosts=tuple(_host(scheme, one, port) for one in hosts.split(",")),
        path=unquote(parts.path).strip("/"),
        user=unquote(user) if user else None,
        password=unquote(password) if has_password else None,
        options=given,
    )
    for unknown in given.keys() - options.keys():
        known = "\n".join(f"  {name}: {meaning}" for name, meaning in options.items())
        raise Invalid(f"{address}: there is no option {unknown!r}. The options are:\n{known}")
    return address


def _host(scheme: str, text: str, default: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port or default
    except ValueError:
        host = None
    if not host:
        raise Invalid(
            f"{scheme}://: {text!r} is no host. Write host:port, as in "
            f"{scheme}://10.0.0.1:{default},10.0.0.2:{default}; an IPv6 address in brackets; "
            "@, / and : of a password as %40, %2F and %3A."
        )
    return host, port
