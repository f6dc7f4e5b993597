"""Questions across accounts: per title, per studio, what expires when, refusals by code."""

from collections.abc import Mapping

from msgspec import Struct

from projectors import expiring as expiries
from projectors import refusals as refusal_counts
from projectors import studios, titles
from projectors.expiring import Expiring
from projectors.projection import Projection
from projectors.refusals import Refusals
from projectors.titles import Tally
from queries.reader import ANYTHING, AtLeast, Reader, Standing
from schemas.codes import REFUSALS
from schemas.errors import Invalid, NotFound

WITHIN_S_MAX = 31 * 86_400  # 4,464 rows in each shard
LICENSES_MAX = 10_000  # in one answer
BUCKETS_AT_ONCE = 6  # an hour's, in one read of each shard


class TallyAnswer(Struct, frozen=True):
    """What happened to the licenses of one title or studio."""

    id: str
    standing: Standing
    tally: Tally


class Due(Struct, frozen=True):
    """A license and when it expires."""

    license_id: str
    account_id: str
    expires_at: int


class ExpiringAnswer(Struct, frozen=True):
    """Licenses that expire in a stretch of time, the first to expire first."""

    at: int
    until: int
    standing: Standing
    count: int  # all of them, also those beyond LICENSES_MAX
    licenses: tuple[Due, ...]


class RefusalsAnswer(Struct, frozen=True):
    """How often each code was given; those never given are left out."""

    standing: Standing
    count: int
    codes: dict[str, Refusals]  # the most frequent first


def title(reader: Reader, title_id: str, *, wanted: AtLeast = ANYTHING) -> TallyAnswer:
    """One title, over all accounts. Raises: NotFound, Unavailable."""
    return _tally(reader, titles.PROJECTION, title_id, wanted)


def studio(reader: Reader, studio_id: str, *, wanted: AtLeast = ANYTHING) -> TallyAnswer:
    """One studio, over all accounts. Raises: NotFound, Unavailable."""
    return _tally(reader, studios.PROJECTION, studio_id, wanted)


def expiring(
    reader: Reader,
    within_s: int,
    *,
    at: int,
    after: tuple[int, str] | None = None,
    wanted: AtLeast = ANYTHING,
) -> ExpiringAnswer:
    """What expires after `at` and within so many seconds. Raises: Invalid, Unavailable.

    `after` is the expiry and id of a license: those behind it are listed.
    """
    if not 0 <= within_s <= WITHIN_S_MAX:
        raise Invalid(f"within {within_s} s: ask for 0 to {WITHIN_S_MAX} s (31 days).")
    until = at + within_s * 1_000
    keys = expiries.buckets(at, until)
    reading = reader.merged(expiries.PROJECTION, keys, wanted)
    found = _sorted(reading.rows, after=at, until=until)
    rest = [one for one in found if after is None or (one.expires_at, one.license_id) > after]
    return ExpiringAnswer(
        at=at,
        until=until,
        standing=reading.standing,
        count=len(found),
        licenses=tuple(rest[:LICENSES_MAX]),
    )


def due(
    reader: Reader, *, at: int, since: int | None = None, count_max: int = LICENSES_MAX
) -> list[Due]:
    """Whose expiry has come and is not on record yet, oldest first: the timekeeper's source.

    Without `since` every key is looked at, so that nothing is overlooked after any absence;
    with it only expiries from then on, which is cheap enough for every second.
    """
    last = expiries.bucket_of(at)
    if since is None:
        keys = sorted(key for key in reader.keys(expiries.PROJECTION) if key <= last)
    else:
        keys = expiries.buckets(max(since, at - WITHIN_S_MAX * 1_000), at)
    found: list[Due] = []
    for first in range(0, len(keys), BUCKETS_AT_ONCE):
        some = reader.merged(expiries.PROJECTION, keys[first : first + BUCKETS_AT_ONCE])
        found += _sorted(some.rows, after=-1, until=at)
        if len(found) >= count_max:
            break
    return found[:count_max]


def refusals(reader: Reader, *, wanted: AtLeast = ANYTHING) -> RefusalsAnswer:
    """Refusals by code, over all accounts. Raises: Unavailable."""
    reading = reader.merged(refusal_counts.PROJECTION, tuple(REFUSALS), wanted)
    codes = sorted(reading.rows.items(), key=lambda item: (-item[1].count, item[0]))
    return RefusalsAnswer(
        standing=reading.standing,
        count=sum(row.count for _, row in codes),
        codes=dict(codes),
    )


def _tally(
    reader: Reader, projection: Projection[Tally], key: str, wanted: AtLeast
) -> TallyAnswer:
    reading = reader.merged(projection, (key,), wanted)
    row = reading.rows.get(key)
    if row is None:
        raise NotFound(
            f"{projection.name.removesuffix('s')} {key:.60}: nothing has happened to it, as of "
            f"version {reading.standing.version}. Check the id (`airside catalog show`)."
        )
    return TallyAnswer(id=key, standing=reading.standing, tally=row)


def _sorted(rows: Mapping[str, Expiring], *, after: int, until: int) -> list[Due]:
    found = [
        Due(license_id, one.account, one.at)
        for row in rows.values()
        for license_id, one in expiries.expiries_of(row).items()
        if after < one.at <= until
    ]
    return sorted(found, key=lambda one: (one.expires_at, one.license_id))
