"""The entries of the catalog: titles, studios, plans, the service, and policies with a name.

An entry is written the same way in the catalog file and in a record of the catalog's topic: an
id and a JSON object. commands/catalog_reading.py reads it.
"""

from msgspec import Struct

from commands.policy import Said

PolicySource = str | Said | None
"""A scope's policy: the name of one, one written out on the spot, or none."""


class Title(Struct, frozen=True, kw_only=True):
    """What can be downloaded."""

    title_id: str
    name: str
    studio_id: str
    downloadable: bool = True  # R03
    countries: tuple[str, ...] | None = None  # R05, ISO 3166-1 alpha-2; None: everywhere
    window_start: int | None = None  # R04, an instant in ms
    window_end: int | None = None
    policy: PolicySource = None


class Studio(Struct, frozen=True, kw_only=True):
    """Whose titles they are."""

    studio_id: str
    name: str
    policy: PolicySource = None


class Plan(Struct, frozen=True, kw_only=True):
    """What a membership includes."""

    plan_id: str
    name: str = ""
    downloads_enabled: bool = True  # R02
    policy: PolicySource = None


class Service(Struct, frozen=True, kw_only=True):
    """What holds for everybody."""

    policy: PolicySource = None


Entry = Title | Studio | Plan | Service | Said

KINDS = ("policy", "service", "plan", "studio", "title")  # an entry refers to earlier ones only
