"""The cast, second part: households that ask for what is not there, not theirs, or not now."""

from airside.demo.acts import gets, settles_in
from airside.demo.cast_titles import CastTitles
from airside.demo.device import IPHONE, LAPTOP, OLD_PHONE, PHONE, TABLET
from airside.demo.household import Household
from airside.demo.stage import DAY, HOUR, MINUTE, Story
from airside.demo.viewing import play


def dmitri(home: Household, titles: CastTitles) -> Story:
    """Loses a phone full of films: removes it, so that they are revoked, and buys another."""
    phone = yield from settles_in(home, PHONE, hour=12)
    for title_id in titles.open[:3]:
        yield from gets(phone, title_id)
    lost = next(iter(phone.held))
    yield home.until_day(9, hour=18)
    yield home.removes(phone)  # on the web site
    yield 3 * HOUR
    yield phone.acquires(titles.open[3])  # the finder: DEVICE_REMOVED
    yield phone.renews(lost)  # LICENSE_TERMINAL
    yield DAY
    successor = home.device(PHONE)
    yield successor.registers()
    for title_id in titles.open[:3]:
        yield from gets(successor, title_id)


def farid(home: Household, titles: CastTitles) -> Story:
    """Has everything about him erased; a forgotten tablet asks once more."""
    tablet = yield from settles_in(home, TABLET, hour=13)
    license_id = yield from gets(tablet, titles.open[4])
    assert license_id, "a first download is allowed"
    yield from play(tablet, license_id, minutes=40)
    yield home.until_day(30, hour=10)
    yield home.is_erased()
    yield 2 * DAY
    yield tablet.acquires(titles.open[5])  # ACCOUNT_CLOSED


def keiko(home: Household, titles: CastTitles) -> Story:
    """Wants a film that is not shown where she lives, and moves to where it is."""
    iphone = yield from settles_in(home, IPHONE, hour=14)
    yield iphone.acquires(titles.regional)  # REGION_NOT_ALLOWED
    yield home.until_day(15, hour=9)
    yield home.moves(titles.region)
    yield HOUR
    yield from gets(iphone, titles.regional)


def liam(home: Household, titles: CastTitles) -> Story:
    """Follows old links: to a title that never was, one that left, and one only streamed."""
    laptop = yield from settles_in(home, LAPTOP, hour=15)
    for title_id in ("no-such-title", titles.withdrawn, titles.streamed):
        yield laptop.acquires(title_id)
        yield 10 * MINUTE


def mona(home: Household, titles: CastTitles) -> Story:
    """Does not pay for a week, and wants a film meanwhile."""
    phone = yield from settles_in(home, PHONE, hour=16)
    yield from gets(phone, titles.standard[0])
    yield home.until_day(5, hour=8)
    yield home.is_suspended("payment failed")
    yield 12 * HOUR
    yield phone.acquires(titles.standard[1])  # ACCOUNT_ON_HOLD
    yield home.until_day(12, hour=8)
    yield home.is_reinstated("paid")
    yield from gets(phone, titles.standard[1])


def pia(home: Household, titles: CastTitles) -> Story:
    """Has an old phone that cannot prove enough, and a tablet that she never registered."""
    old_phone = yield from settles_in(home, OLD_PHONE, hour=17)
    yield old_phone.acquires(titles.secure)  # DEVICE_NOT_ELIGIBLE
    yield 5 * MINUTE
    tablet = home.device(TABLET)
    yield tablet.acquires(titles.secure)  # DEVICE_UNKNOWN
    yield tablet.registers()
    yield from gets(tablet, titles.secure)


def quentin(home: Household, titles: CastTitles) -> Story:
    """Has a plan without downloads, asks for a plan that does not exist, and finds one."""
    phone = yield from settles_in(home, PHONE, hour=18)
    yield phone.acquires(titles.open[0])  # PLAN_NO_DOWNLOADS
    yield 10 * MINUTE
    yield home.changes_plan("gold")  # PLAN_UNKNOWN
    yield 10 * MINUTE
    yield home.changes_plan("standard")
    yield from gets(phone, titles.open[0])


def rosa(home: Household, titles: CastTitles) -> Story:
    """Restores a phone from somebody else's backup, with licenses that were never hers."""
    iphone = yield from settles_in(home, IPHONE, hour=19)
    yield iphone.renews(f"{home.random.getrandbits(128):032x}")  # LICENSE_UNKNOWN
    yield from gets(iphone, titles.open[2])


def sven(home: Household, titles: CastTitles) -> Story:
    """Never opened an account: somebody mistyped theirs."""
    yield home.until_day(0, hour=20)
    phone = home.device(PHONE)
    yield phone.registers()  # ACCOUNT_UNKNOWN
    yield phone.acquires(titles.open[0])


def tess(home: Household, titles: CastTitles) -> Story:
    """Is served by a new colleague at support, who fills in one field too many."""
    tablet = yield from settles_in(home, TABLET, hour=20)
    yield from gets(tablet, titles.open[1])
    yield DAY
    yield home.is_revoked("mistake", title_id=titles.open[1], device_id=tablet.id)
    yield home.is_revoked("mistake", title_id=titles.open[1])  # this time it is valid


def zoe(home: Household, titles: CastTitles) -> Story:
    """Deletes a film on a laptop that can only claim it; the studio wants proof."""
    laptop = yield from settles_in(home, LAPTOP, hour=21)
    license_id = yield from gets(laptop, titles.proved)
    assert license_id, "the laptop is strong enough to play it"
    yield 2 * HOUR
    yield laptop.releases(license_id)  # PROOF_REQUIRED
