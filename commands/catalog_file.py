"""The catalog file: read and checked as a whole, and turned into the topic's records.

    {"policies": {NAME: {KEY: VALUE, "extends": NAME, "override": [KEY]}},
     "service": {"policy": NAME or {…}},
     "plans": {ID: {"name": …, "downloads_enabled": true, "policy": …}},
     "studios": {ID: {"name": …, "policy": …}},
     "titles": {ID: {"name": …, "studio_id": …, "downloadable": true, "countries": ["DE"],
                     "window_start": "2026-01-31", "window_end": …, "policy": …}}}

The keys of policies are in commands/policy_keys.py. Examples are in examples/catalog.json.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator

import msgspec

from commands.catalog import Catalog
from commands.catalog_check import contradictions
from commands.catalog_entries import Entry
from commands.catalog_reading import Finding, Path, meant, read_entry, read_text
from commands.policy_keys import shown
from schemas.errors import Contradiction, Invalid, TooLarge

FILE_BYTES_MAX = 64 * 1024 * 1024
FINDINGS_SHOWN_MAX = 50

SECTIONS = {  # of the file, to the kind of entry; what is referred to comes first
    "policies": "policy",
    "service": "service",
    "plans": "plan",
    "studios": "studio",
    "titles": "title",
}


def parse_catalog(data: bytes) -> list[tuple[str, bytes]]:
    """The records, (key, value), that load this file; all of them or none.

    A record comes after those that it refers to. `Catalog.keys()` of the catalog in use, minus
    these keys, are the records to remove where the file is to replace it.

    Raises: Invalid if the file is no JSON object; Contradiction with every other thing that is
    wrong, each with its line, path, fact and next step; TooLarge.
    """
    if len(data) > FILE_BYTES_MAX:
        raise TooLarge(f"The file has {len(data)} bytes, at most {FILE_BYTES_MAX}. Split it.")
    text, root = _read_json(data)
    findings = list(_repeated(root, ()))
    bodies: dict[str, object] = {}
    changes: dict[str, Entry | None] = {}
    for name in root:
        if name not in SECTIONS:
            fact = f"no such section{meant(name, SECTIONS)}; there are {', '.join(SECTIONS)}"
            findings.append(Finding((name,), fact))
    for path, key, body in _bodies(root, findings):
        kind, _, entry_id = key.partition("/")
        changes[key] = read_entry(kind, entry_id, body, path, findings)
        bodies[key] = body
    findings += contradictions(Catalog.empty().with_changes(changes, 0))
    if findings:
        raise Contradiction(_report(text, findings))
    return [(key, msgspec.json.encode(body)) for key, body in bodies.items()]


class _Object(dict[str, object]):
    """A JSON object that remembers which of its keys came more than once."""

    repeated: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, object]]) -> _Object:
    found = _Object(pairs)
    if len(found) < len(pairs):
        times = Counter(name for name, _ in pairs)
        found.repeated = tuple(name for name in times if times[name] > 1)
    return found


def _no_constant(word: str) -> object:
    raise Invalid(f"{word} is not JSON. Write a whole number, or null for no limit.")


def _read_json(data: bytes) -> tuple[str, _Object]:
    try:
        text = data.decode("utf-8-sig")
        root = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Invalid(f"Byte {error.start} is not UTF-8. Save the file as UTF-8.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Invalid(f"{where}: not JSON: {error.msg}. Correct the file there.") from None
    except RecursionError:
        raise Invalid("Objects are nested too deeply. See examples/catalog.json.") from None
    except ValueError:  # Python's bound on the digits of a number
        raise Invalid("A number has too many digits. See examples/catalog.json.") from None
    if not isinstance(root, _Object):
        raise Invalid(f"The file must hold one object, not {shown(root)}.")
    return text, root


def _repeated(value: object, path: Path) -> Iterator[Finding]:
    """Every key that an object has twice: JSON readers would drop one of the two silently."""
    if isinstance(value, _Object):
        for name in value.repeated:
            yield Finding((*path, name), "is there more than once; keep one of them")
        for name, item in value.items():
            yield from _repeated(item, (*path, name))
    elif isinstance(value, list):
        for item in value:
            yield from _repeated(item, path)


def _bodies(root: _Object, findings: list[Finding]) -> Iterator[tuple[Path, str, object]]:
    """(path, key, body) of every entry in the file, section by section."""
    for section, kind in SECTIONS.items():
        entries = root.get(section, {})
        if section == "service" and section in root:
            yield (section,), kind, entries
        elif not isinstance(entries, dict):
            fact = f"must be an object of id to entry, not {shown(entries)}"
            findings.append(Finding((section,), fact))
        elif section != "service":
            for entry_id, body in entries.items():
                read_text(entry_id, (section, entry_id), findings)
                yield (section, entry_id), f"{kind}/{entry_id}", body


def _report(text: str, findings: list[Finding]) -> str:
    """The findings in the order of the file, as many as a person wants to see at once."""
    places = _Places(text)
    told = sorted((places.of(finding.path), str(finding)) for finding in findings)
    count = "1 fault" if len(told) == 1 else f"{len(told)} faults"
    report = [f"The catalog has {count}, nothing was changed:"]
    for position, finding in told[:FINDINGS_SHOWN_MAX]:
        line_number = text.count("\n", 0, position) + 1
        report.append(f"line {line_number}: {finding}")
    if len(told) > FINDINGS_SHOWN_MAX:
        report.append(f"and {len(told) - FINDINGS_SHOWN_MAX} more")
    return "\n".join(report)


class _Places:
    """Where a path begins in a text that is known to be JSON; each object is read once."""

    _space = re.compile(r"[ \t\n\r]*")

    def __init__(self, text: str) -> None:
        self._text = text
        self._read = json.JSONDecoder().raw_decode
        self._members: dict[int, dict[str, int]] = {}

    def of(self, path: Path) -> int:
        """Where the value at that path begins, or the innermost one around it."""
        position = self._after_space(0)
        for name in path:
            if position not in self._members:
                self._members[position] = dict(self._scan(position))
            if name not in self._members[position]:
                break
            position = self._members[position][name]
        return position

    def _scan(self, position: int) -> Iterator[tuple[str, int]]:
        """Each member of the object at this position: its name and where its value begins."""
        if self._text[position] != "{":
            return
        position = self._after_space(position + 1)
        while self._text[position] != "}":
            name, position = self._read(self._text, position)
            position = self._after_space(self._after_space(position) + 1)
            yield name, position
            _, position = self._read(self._text, position)
            position = self._after_space(position)
            if self._text[position] == ",":
                position = self._after_space(position + 1)

    def _after_space(self, position: int) -> int:
        found = self._space.match(self._text, position)
        return found.end() if found else position
