"""The cast, first part: households that reach a number that studios, plans or the service set.

Each script asks until it is refused, so it does not know the number.
"""

from itertools import product

from airside.demo.acts import gets, settles_in
from airside.demo.cast_titles import CastTitles
from airside.demo.device import IPAD, IPHONE, LAPTOP, OLD_PHONE, PHONE, TABLET
from airside.demo.household import Household
from airside.demo.stage import DAY, HOUR, MINUTE, Story
from airside.demo.viewing import play

FAMILY = tuple(f"profile-{number}" for number in range(1, 11))


def amelia(home: Household, titles: CastTitles) -> Story:
    """Downloads a strict title as often as it may be, and hears when the next is possible."""
    phone = yield from settles_in(home, PHONE, hour=7)
    while license_id := (yield from gets(phone, titles.strict)):
        yield from play(phone, license_id, minutes=95)
        yield 3 * HOUR
        yield phone.releases(license_id)
    yield home.until_day(20, hour=19)
    yield phone.acquires(titles.strict)  # not yet


def bruno(home: Household, titles: CastTitles) -> Story:
    """Has two devices on a plan for one, and gives the first one's slot to the second."""
    phone = yield from settles_in(home, PHONE, hour=8)
    tablet = home.device(TABLET)
    yield tablet.registers()
    license_id = yield from gets(phone, titles.open[0])
    assert license_id, "the first device of an account has a slot"
    yield 2 * HOUR
    yield tablet.acquires(titles.open[1])  # TOO_MANY_DEVICES
    yield 5 * MINUTE
    yield phone.releases(license_id)
    yield from gets(tablet, titles.open[1])


def emi(home: Household, titles: CastTitles) -> Story:
    """Uses up a tablet's downloads of the month, and waits for the next month."""
    tablet = yield from settles_in(home, TABLET, hour=6)
    for title_id, profile_id in product(titles.open, FAMILY):
        if (yield tablet.acquires(title_id, profile_id)).code == "MONTHLY_DEVICE_LIMIT":
            break
        yield 10 * MINUTE
    yield home.until_day(15, hour=8)  # within its lease, which goes on from here
    yield tablet.syncs()
    yield home.until_day(33, hour=8)  # another month, whenever this one began
    yield tablet.syncs()
    yield from gets(tablet, titles.open[-1])


def greta(home: Household, titles: CastTitles) -> Story:
    """Keeps one strict film for weeks: renews it after it expired, by grace of support, until
    the license itself may not be renewed any more.
    """
    laptop = yield from settles_in(home, LAPTOP, hour=9)
    license_id = yield from gets(laptop, titles.strict)
    assert license_id, "a first download is allowed"
    for _ in range(12):
        yield laptop.held[license_id].expires_at - home.now_at + 6 * HOUR
        reply = yield laptop.renews(license_id)
        if reply.code == "TITLE_PERIOD_LIMIT":
            yield 2 * HOUR
            yield home.is_granted(10, title_id=titles.strict)
            reply = yield laptop.renews(license_id)
        if reply.refusal is not None:
            return  # RENEWAL_LIMIT


def hugo(home: Household, titles: CastTitles) -> Story:
    """Hoards: downloads everything for everybody onto one device, until it is full."""
    ipad = yield from settles_in(home, IPAD, hour=5)
    for title_id, profile_id in product(titles.open, FAMILY):
        reply = yield ipad.acquires(title_id, profile_id)
        if reply.code == "DEVICE_DOWNLOAD_LIMIT":
            return
        yield 2 * MINUTE


def ines(home: Household, titles: CastTitles) -> Story:
    """Loves one studio, fills up on it, and makes room with what she has seen."""
    iphone = yield from settles_in(home, IPHONE, hour=10)
    for title_id in titles.one_studio:
        reply = yield iphone.acquires(title_id)
        if reply.code == "STUDIO_ACTIVE_LIMIT":
            yield iphone.releases(next(iter(iphone.held)))
            yield from gets(iphone, title_id)
            return
        yield 20 * MINUTE


def uma(home: Household, titles: CastTitles) -> Story:
    """Sells used phones and signs in on each of them, more often than her plan likes."""
    yield from settles_in(home, OLD_PHONE, hour=12)
    for _ in range(10):
        yield home.until_moment(days=1)
        reply = yield home.device(OLD_PHONE).registers()
        if reply.code == "DEVICE_CHURN":
            return


def wanda(home: Household, titles: CastTitles) -> Story:
    """Fills her one device before a hospital stay, until the plan says that it is enough."""
    laptop = yield from settles_in(home, LAPTOP, hour=13)
    for title_id, profile_id in product(titles.open, FAMILY):
        reply = yield laptop.acquires(title_id, profile_id)
        if reply.code == "ACCOUNT_DOWNLOAD_LIMIT":
            return
        yield 3 * MINUTE


def xavier(home: Household, titles: CastTitles) -> Story:
    """Plays one film as often as it may be played, and cannot have it again for a while."""
    tablet = yield from settles_in(home, TABLET, hour=14)
    for _ in range(8):
        license_id = yield from gets(tablet, titles.few_plays)
        if license_id is None:
            return  # PLAYBACK_PERIOD_LIMIT
        yield from play(tablet, license_id, minutes=100)
        yield tablet.releases(license_id)
        yield DAY


def jonas(home: Household, titles: CastTitles) -> Story:
    """Wants the same strict film on two devices at once."""
    phone = yield from settles_in(home, PHONE, hour=11)
    laptop = home.device(LAPTOP)
    yield laptop.registers()
    yield from gets(phone, titles.strict)
    yield HOUR
    yield laptop.acquires(titles.strict)  # TITLE_DEVICE_LIMIT
    yield DAY
    yield from gets(laptop, titles.open[0])
