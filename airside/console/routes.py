"""The console's files over HTTP: read once, served from memory, under a strict policy."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

PATH = "/console"
PAGE = "index.html"
TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""Nothing from elsewhere, nothing inline, no markup made from text, in nobody's frame."""

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-cache",  # asked for again each time, answered 304
    }
)


@dataclass(frozen=True, slots=True)
class File:
    """One file of the console."""

    body: bytes
    media_type: str
    etag: str

    def answer(self, request: Request) -> Response:
        """The file, or 304 where it is known already."""
        headers = {**HEADERS, "ETag": self.etag}
        known = request.headers.get("if-none-match", "")
        if self.etag in (one.strip().removeprefix("W/") for one in known.split(",")):
            return Response(status_code=304, headers=headers)
        return Response(self.body, media_type=self.media_type, headers=headers)


def console_routes() -> list[BaseRoute]:
    """The page at /console/ and its files beside it; they need no token and hold no data."""
    found = read_files()

    async def page(request: Request) -> Response:
        return found[PAGE].answer(request)

    async def to_page(request: Request) -> Response:
        return RedirectResponse("console/", headers=dict(HEADERS))  # also behind a prefix

    async def file(request: Request) -> Response:
        one = found.get(request.path_params["name"])
        if one is None:
            return Response("There is no such file.", 404, HEADERS, "text/plain")
        return one.answer(request)

    return [
        Route("/", to_page),  # who types the host alone is a person
        Route(PATH, to_page),
        Route(f"{PATH}/", page),
        Route(f"{PATH}/{{name}}", file),
    ]


def read_files() -> dict[str, File]:
    """All that is served, by name: what is beside this file and is of a known type."""
    found = {}
    for one in files(__package__).iterdir():
        media_type = TYPES.get(one.name[one.name.rfind(".") :])
        if media_type is not None:
            body = one.read_bytes()
            digest = hashlib.sha256(body).hexdigest()[:32]
            found[one.name] = File(body, media_type, f'"{digest}"')
    return found
