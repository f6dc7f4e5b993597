"""How an entry of the catalog is read from JSON, all that is wrong with it found at once.

A reader returns what it read. Where that is wrong it adds a finding and returns something
harmless, so that the other entries can still be checked against it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import Struct

from commands.catalog_entries import KINDS, Entry, Plan, PolicySource, Service, Studio, Title
from commands.policy import Said
from commands.policy_keys import KEYS, shown
from schemas.envelope import ID_CHARACTERS_MAX, INSTANT_MAX
from schemas.errors import Invalid

Path = tuple[str, ...]

MEANT_AMONG_MAX = 1_000  # words that are searched for the one that was meant
COUNTRIES_MAX = 300  # ISO 3166-1 has some 250


class Finding(Struct, frozen=True):
    """One thing that is wrong: where, and the fact with its value and the next step."""

    path: Path
    fact: str

    def __str__(self) -> str:
        parts = [part if _is_plain(part) else shown(part) for part in self.path]
        return f"{'.'.join(parts)}: {self.fact}"


def _is_plain(part: str) -> bool:
    return part.isprintable() and 0 < len(part) <= ID_CHARACTERS_MAX


def read_change(key: str, value: bytes | None) -> Entry | None:
    """The entry of one record of the catalog's topic, such as `title/t1`; None: it is removed.

    Raises: Invalid, with everything that is wrong with it.
    """
    kind, slash, entry_id = key.partition("/")
    if kind not in KINDS or bool(slash) == (kind == "service"):
        raise Invalid(f"{shown(key)}: no such kind of entry. Use a key such as 'title/t1'.")
    findings: list[Finding] = []
    if kind != "service":
        read_text(entry_id, (key,), findings)
    if value is None:
        entry = None
    else:
        try:
            body = msgspec.json.decode(value)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise Invalid(f"{shown(key)}: not JSON: {error}. Load the catalog again.") from None
        entry = read_entry(kind, entry_id, body, (key,), findings)
    if findings:
        raise Invalid("; ".join(map(str, findings)))
    return entry


def read_entry(
    kind: str, entry_id: str, body: object, path: Path, findings: list[Finding]
) -> Entry:
    """The entry, and into `findings` what is wrong with it."""
    if kind == "policy":
        return read_said(body, path, findings)
    readers, required = _FIELDS[kind], _REQUIRED[kind]
    fields: dict[str, Any] = dict.fromkeys(required, "")
    if not isinstance(body, dict):
        findings.append(Finding(path, f"must be an object, not {shown(body)}; write it as one"))
        return _entry(kind, entry_id, fields)
    for name in required:
        if name not in body:
            findings.append(Finding(path, f"{name} is missing; add it"))
    for name, value in body.items():
        if name not in readers:
            findings.append(Finding((*path, name), _unknown_field(name, kind, readers)))
        elif value is not None or name not in _NULLABLE:
            fields[name] = readers[name](value, (*path, name), findings)
    if kind == "title":
        _check_window(fields, body, path, findings)
    return _entry(kind, entry_id, fields)


def _entry(kind: str, entry_id: str, fields: dict[str, Any]) -> Entry:
    match kind:
        case "title":
            return Title(title_id=entry_id, **fields)
        case "studio":
            return Studio(studio_id=entry_id, **fields)
        case "plan":
            return Plan(plan_id=entry_id, **fields)
        case _:
            return Service(**fields)


def _check_window(
    fields: dict[str, Any], body: Mapping[str, object], path: Path, findings: list[Finding]
) -> None:
    start, end = fields.get("window_start"), fields.get("window_end")
    if start is not None and end is not None and end <= start:
        said = shown(body["window_end"]), shown(body["window_start"])
        fact = f"{said[0]} is not after window_start {said[1]}; correct one of them"
        findings.append(Finding((*path, "window_end"), fact))


def _unknown_field(name: str, kind: str, readers: Mapping[str, object]) -> str:
    if name in KEYS and KEYS[name].combination != "field":
        return "is a policy key; write it inside policy"
    return f"a {kind} has no such field{meant(name, readers)}; correct or remove it"


def meant(word: str, known: Mapping[str, object]) -> str:
    """The known word that was meant, as the end of a sentence; nothing where none is close."""
    close = get_close_matches(word, known, n=1) if len(known) <= MEANT_AMONG_MAX else []
    return f", did you mean {close[0]!r}" if close else ""


def read_text(value: object, path: Path, findings: list[Finding]) -> str:
    """A name or an id."""
    if isinstance(value, str) and 0 < len(value) <= ID_CHARACTERS_MAX and value.isprintable():
        return value
    wanted = f"a text of 1 to {ID_CHARACTERS_MAX} printable characters"
    findings.append(Finding(path, f"must be {wanted}, not {shown(value)}"))
    return ""


def _read_flag(value: object, path: Path, findings: list[Finding]) -> bool:
    if not isinstance(value, bool):
        findings.append(Finding(path, f"must be true or false, not {shown(value)}"))
    return value is True


def _read_countries(
    value: object, path: Path, findings: list[Finding]
) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        findings.append(Finding(path, f"must be a list of countries, not {shown(value)}"))
        return None
    if not value:
        fact = (
            "an empty list is nowhere; leave it out for everywhere, or set downloadable false"
        )
        findings.append(Finding(path, fact))
    if len(value) > COUNTRIES_MAX:
        fact = f"lists {len(value)} countries, at most {COUNTRIES_MAX}; remove some"
        findings.append(Finding(path, fact))
    for country in value[:COUNTRIES_MAX]:
        if not isinstance(country, str) or not re.fullmatch("[A-Z]{2}", country):
            fact = (
                f"must be two capital letters (ISO 3166-1), such as 'DE', not {shown(country)}"
            )
            findings.append(Finding(path, fact))
    return tuple(country for country in value if isinstance(country, str))


def _read_instant(value: object, path: Path, findings: list[Finding]) -> int | None:
    """Milliseconds since 1970, or ISO 8601; a date alone is its first instant in UTC."""
    instant = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is None and len(value) <= len("2026-01-31"):
            moment = moment.replace(tzinfo=UTC)
        if moment is not None and moment.tzinfo is None:
            findings.append(Finding(path, f"{shown(value)} has no time zone; end it with Z"))
            return None
        instant = None if moment is None else round(moment.timestamp() * 1_000)
    if (
        isinstance(instant, int)
        and not isinstance(instant, bool)
        and 0 <= instant <= INSTANT_MAX
    ):
        return instant
    wanted = "an ISO date or date-time from 1970 to 2100, or whole milliseconds since 1970"
    findings.append(Finding(path, f"must be {wanted}, not {shown(value)}"))
    return None


def _read_source(value: object, path: Path, findings: list[Finding]) -> PolicySource:
    return value if isinstance(value, str) else read_said(value, path, findings)


def read_said(body: object, path: Path, findings: list[Finding]) -> Said:
    """A policy written out: keys and their values, `override` and `extends`."""
    if not isinstance(body, dict):
        fact = f"must be an object of policy keys, or a policy's name, not {shown(body)}"
        findings.append(Finding(path, fact))
        return Said()
    values: dict[str, Any] = {}
    override: frozenset[str] = frozenset()
    extends = None
    for name, value in body.items():
        here = (*path, name)
        if name == "override":
            override = _read_override(value, here, findings)
        elif name == "extends":
            extends = read_text(value, here, findings) or None
        elif fault := _key_fault(name):
            findings.append(Finding(here, fault))
        elif fault := KEYS[name].fault(value):
            findings.append(Finding(here, fault))
            values[name] = KEYS[name].default
        else:
            values[name] = value
    return Said(values, override, extends)


def _key_fault(name: str) -> str | None:
    """Why a policy cannot say this key; None if it can."""
    key = KEYS.get(name)
    if key is None:
        return f"no such policy key{meant(name, KEYS)}; correct or remove it"
    if key.combination == "field":
        return f"is no policy key but {key.allowed}; write it there"
    return None


def _read_override(value: object, path: Path, findings: list[Finding]) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        findings.append(Finding(path, f"must be a list of policy keys, not {shown(value)}"))
        return frozenset()
    if len(value) > len(KEYS):
        findings.append(Finding(path, f"lists {len(value)} keys, there are only {len(KEYS)}"))
        return frozenset()
    for name in value:
        fault = _key_fault(name)
        combination = "" if fault else KEYS[name].combination
        if combination == "window":
            fault = f"goes with its count; list {name.removesuffix('_window_s')!r} instead"
        elif combination == "most_specific":
            fault = "is decided by the most specific scope anyway; remove it"
        if fault:
            findings.append(Finding(path, f"{shown(name)} {fault}"))
    return frozenset(name for name in value if not _key_fault(name))


_Reader = Callable[[object, Path, list[Finding]], object]
_FIELDS: Mapping[str, Mapping[str, _Reader]] = {
    "service": {"policy": _read_source},
    "plan": {"name": read_text, "downloads_enabled": _read_flag, "policy": _read_source},
    "studio": {"name": read_text, "policy": _read_source},
    "title": {
        "name": read_text,
        "studio_id": read_text,
        "downloadable": _read_flag,
        "countries": _read_countries,
        "window_start": _read_instant,
        "window_end": _read_instant,
        "policy": _read_source,
    },
}
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "service": (),
    "plan": (),
    "studio": ("name",),
    "title": ("name", "studio_id"),
}
_NULLABLE = frozenset({"countries", "window_start", "window_end", "policy"})
