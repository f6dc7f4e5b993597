"""What a deployment chooses about HTTP, each with its environment variable."""

from dataclasses import dataclass
from pathlib import Path

from airside.web.hosts import is_loopback
from schemas.errors import Invalid

AUDIENCE = "airside"
HOST = "127.0.0.1"
PORT = 8_080
RATE_PER_SECOND = 50.0


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where a service listens, and who may ask it."""

    host: str = HOST  # AIRSIDE_HTTP_HOST
    port: int = PORT  # AIRSIDE_HTTP_PORT; 0: any that is free
    keys: Path | None = None  # AIRSIDE_KEYS, a JWKS file; None: everybody on this machine
    audience: str = AUDIENCE  # AIRSIDE_AUDIENCE, `aud` of every token
    issuer: str | None = None  # AIRSIDE_ISSUER, `iss` of every token; None: any
    rate_per_second: float = RATE_PER_SECOND  # AIRSIDE_HTTP_RATE, of a member; 0: no limit

    @property
    def is_loopback(self) -> bool:
        """Only programs on this machine can reach it."""
        return is_loopback(self.host)

    def check(self) -> None:
        """Raises: Invalid where strangers could ask without a token."""
        if self.keys is None and not self.is_loopback:
            raise Invalid(
                f"host {self.host} can be reached from other machines, and no keys are given: "
                "everybody would be an operator. Name a JWKS file with --keys or AIRSIDE_KEYS, "
                "or listen on 127.0.0.1."
            )
