"""What the client takes: media types, encodings, and what it has already (RFC 9110)."""

import gzip

import zstandard

COMPRESSED_FROM_BYTES = 1_024
GZIP_LEVEL = 5
ZSTD_LEVEL = 3
HEADER_ITEMS_MAX = 64  # of a list in a header; what follows is not looked at


def accepts(accept: str, media_type: str) -> bool:
    """Whether an `Accept` header admits a media type; the most specific range decides."""
    if not accept or accept == "*/*":
        return True
    whole, kind = media_type, f"{media_type.partition('/')[0]}/*"
    rank = {"*/*": 1, kind: 2, whole: 3}
    best, quality = 0, 0.0
    for name, q in _qualities(accept):
        if rank.get(name, 0) > best:
            best, quality = rank[name], q
    return quality > 0


def encoding(accept_encoding: str) -> str:
    """The best of zstd and gzip that the client takes; "" for neither."""
    if not accept_encoding:
        return ""
    offered = dict(_qualities(accept_encoding))
    anything = offered.get("*", 0.0)
    best = max(("zstd", "gzip"), key=lambda name: offered.get(name, anything))
    return best if offered.get(best, anything) > 0 else ""


def compressed(body: bytes, name: str) -> bytes:
    """The body in an encoding that `encoding` named."""
    if name == "zstd":
        return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body)
    return gzip.compress(body, GZIP_LEVEL, mtime=0)


def has_already(if_none_match: str, etag: str) -> bool:
    """Whether an `If-None-Match` header names this entity tag, compared weakly."""
    if if_none_match.strip() == "*":
        return True
    wanted = etag.removeprefix("W/")
    some = if_none_match.split(",", HEADER_ITEMS_MAX)
    return any(one.strip().removeprefix("W/") == wanted for one in some)


def _qualities(header: str) -> list[tuple[str, float]]:
    found = []
    for item in header.split(",", HEADER_ITEMS_MAX)[:HEADER_ITEMS_MAX]:
        name, *options = (part.strip().lower() for part in item.split(";"))
        quality = next((one[2:].strip() for one in options if one.startswith("q=")), "1")
        try:
            found.append((name, float(quality)))
        except ValueError:
            found.append((name, 0.0))
    return found
