"""The read models say what the write side knows, whatever a household does."""

from collections import Counter
from itertools import chain
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from commands.account import HISTORY_KEPT_MS, Account
from commands.catalog import Catalog
from commands.license import License
from projectors import devices, downloads, expiring, licenses, titles
from projectors.expiring import expiries_of
from projectors.projection import Projection
from queries.downloads import downloads_of
from queries.licenses import licenses_of
from schemas.envelope import Event
from schemas.events import LicenseIssued
from tests.kit.fold import rows_of
from tests.kit.given import HOUSEHOLD, stamped
from tests.kit.happenings import DAY, history
from tests.kit.households import Deed, catalogs, deeds, lived

lives = given(catalogs(), deeds(), st.sampled_from([0, 1, 7 * DAY, 31 * DAY]))
few = settings(max_examples=60, deadline=None)


class Lived:
    """A household's life as the write side knows it, and its events."""

    def __init__(self, catalog: Catalog, doing: list[Deed], later_ms: int) -> None:
        steps = lived(catalog, doing)
        self.account: Account = steps[-1].after
        self.at = steps[-1].at + later_ms
        self.events: tuple[Event, ...] = history(
            *HOUSEHOLD, *chain.from_iterable(stamped(s.events, s.at) for s in steps)
        )

    def row(self, projection: Projection[Any]) -> Any:
        rows = rows_of(projection, self.events)
        return rows.get("a1", projection.initial("a1"))

    def known(self) -> list[License]:
        """Licenses that are not over for good and not so old that they are forgotten."""
        return [one for one in self.account.licenses.values() if self.is_remembered(one)]

    def issued(self) -> set[str]:
        """Every license there ever was."""
        return {one.license_id for one in self.events if isinstance(one, LicenseIssued)}

    def used(self, title_id: str, window_s: int) -> int:
        """Downloads of a title within the window."""
        horizon = self.at - window_s * 1_000
        return sum(at > horizon for at, _ in self.account.title(title_id).downloads)

    def state(self, one: License) -> tuple[str, int]:
        """State and expiry of a license."""
        lasting = "ACTIVE" if one.is_active(self.at) else "EXPIRED"
        return (one.ended_as or lasting).upper(), one.expires_at

    def is_remembered(self, one: License) -> bool:
        return one.expires_at > self.at - HISTORY_KEPT_MS


@few
@lives
def test_as_many_licenses_are_active(
    catalog: Catalog, doing: list[Deed], later_ms: int
) -> None:
    life = Lived(catalog, doing, later_ms)
    found = downloads_of(life.row(downloads.PROJECTION), "a1", at=life.at)
    active = [one for one in life.account.licenses.values() if one.is_active(life.at)]
    assert found.active == len(active)
    on_device = Counter(one.device_id for one in active)
    assert {one.device_id: one.active for one in found.devices if one.active} == on_device


@few
@lives
def test_as_many_downloads_of_each_title_are_used(
    catalog: Catalog, doing: list[Deed], later_ms: int
) -> None:
    life = Lived(catalog, doing, later_ms)
    found = downloads_of(life.row(downloads.PROJECTION), "a1", at=life.at)
    used = {one.title_id: one.used for one in found.titles}
    windows = {one.title_id: one.window_s for one in found.titles}
    assert used == {
        title_id: life.used(title_id, window_s) for title_id, window_s in windows.items()
    }


@few
@lives
def test_as_many_downloads_of_each_device_are_used_this_month(
    catalog: Catalog, doing: list[Deed], later_ms: int
) -> None:
    life = Lived(catalog, doing, later_ms)
    found = downloads_of(life.row(downloads.PROJECTION), "a1", at=life.at)
    used = {one.device_id: one.used for one in found.devices if one.used}
    known = life.account.devices.values()
    counts = {one.device_id: one.downloads_in_month(life.at) for one in known}
    assert used == {device_id: count for device_id, count in counts.items() if count}


@few
@lives
def test_every_license_is_in_the_same_state(
    catalog: Catalog, doing: list[Deed], later_ms: int
) -> None:
    life = Lived(catalog, doing, later_ms)
    found = licenses_of(life.row(licenses.PROJECTION), "a1", at=life.at)
    states = {one.license_id: (one.state, one.expires_at) for one in found.licenses}
    known = {**life.account.ended, **life.account.licenses}
    assert {id: states[id] for id in known} == {
        id: life.state(one) for id, one in known.items()
    }


@few
@lives
def test_what_is_not_over_is_filed_under_its_expiry(
    catalog: Catalog, doing: list[Deed], later_ms: int
) -> None:
    life = Lived(catalog, doing, later_ms)
    rows = rows_of(expiring.PROJECTION, life.events)
    filed = {
        license_id: one.at
        for row in rows.values()
        for license_id, one in expiries_of(row).items()
        if one.at > life.at - HISTORY_KEPT_MS
    }
    going = [one for one in life.known() if not one.is_recorded_expired]
    assert filed == {one.license_id: one.expires_at for one in going}


@few
@lives
def test_as_many_licenses_of_each_title_are_active_on_record(
    catalog: Catalog, doing: list[Deed], later_ms: int
) -> None:
    life = Lived(catalog, doing, 0)
    rows = rows_of(titles.PROJECTION, life.events)
    held = life.account.licenses.values()
    on_record = Counter(one.title_id for one in held if not one.is_recorded_expired)
    forgotten = life.issued() - {*life.account.licenses, *life.account.ended}
    active = {title_id: row.active for title_id, row in rows.items() if row.active}
    assert forgotten or active == on_record


@few
@lives
def test_the_same_devices_take_slots(
    catalog: Catalog, doing: list[Deed], later_ms: int
) -> None:
    life = Lived(catalog, doing, later_ms)
    row = life.row(devices.PROJECTION)
    known = life.account.devices.values()
    assert {name: one.slot_since for name, one in row.devices.items() if one.slot_since} == {
        one.device_id: one.activated_at for one in known if one.activated_at
    }
