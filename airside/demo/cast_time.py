"""The cast, third part: households whose trouble is with time."""

from airside.demo.acts import gets, settles_in
from airside.demo.cast_titles import CastTitles
from airside.demo.device import IPAD, IPHONE, PHONE, TABLET
from airside.demo.household import Household
from airside.demo.stage import DAY, HOUR, MINUTE, Story
from airside.demo.viewing import play

RING = 140  # more commands than an account remembers ids of


def chiara(home: Household, titles: CastTitles) -> Story:
    """Flies with four films. The plane has no network, so her plays are reported on landing;
    each opened 48 hours in which it may be watched, and one was watched after them.
    """
    ipad = yield from settles_in(home, IPAD, hour=9)
    films: list[str] = []
    for title_id in titles.standard[:4]:
        if license_id := (yield from gets(ipad, title_id)):
            films.append(license_id)
    yield home.until_day(2, hour=22)
    ipad.away_until = home.now_at + 3 * DAY  # the flight, and an island without network
    for number, license_id in enumerate(films[:3]):
        home.begin(play(ipad, license_id, minutes=100), after_ms=(1 + 2 * number) * HOUR)
    home.begin(play(ipad, films[0], minutes=30), after_ms=60 * HOUR)
    yield ipad.until_online()
    yield ipad.syncs()
    yield home.until_day(8, hour=20)
    yield ipad.renews(films[0])  # expired since; she wants to see the end
    yield from play(ipad, films[0], minutes=45)


def noor(home: Household, titles: CastTitles) -> Story:
    """Has a phone that lost an answer and repeats its question after everybody forgot it."""
    phone = yield from settles_in(home, PHONE, hour=8)
    license_id = yield from gets(phone, titles.open[0])
    assert license_id, "a first download is allowed"
    question = phone.acquires(titles.open[1])
    yield question
    for _ in range(RING):
        home.tell(phone.reports_playback(license_id, "cartoons", home.now_at, None))
        yield 3 * MINUTE
    yield DAY
    yield question  # COMMAND_STALE: it cannot be told from a repeat, so it is not decided twice


def otto(home: Household, titles: CastTitles) -> Story:
    """Has a tablet that lives two days ahead of everybody, until it asks for the time."""
    yield home.until_day(0, hour=7)
    yield home.opens()
    tablet = home.device(TABLET, clock_error_ms=2 * DAY)
    yield tablet.registers()  # CLOCK_SKEW
    tablet.clock_error_ms = 0
    yield MINUTE
    yield tablet.registers()
    yield from gets(tablet, titles.standard[0])


def viktor(home: Household, titles: CastTitles) -> Story:
    """Is at sea for longer than his plan lets a device stay away, and checks in again."""
    phone = yield from settles_in(home, PHONE, hour=15)
    yield from gets(phone, titles.open[0])
    yield home.until_day(28, hour=12)
    yield phone.acquires(titles.open[1])  # LEASE_EXPIRED
    yield MINUTE
    yield phone.renews_all()
    yield from gets(phone, titles.open[1])


def yara(home: Household, titles: CastTitles) -> Story:
    """Renews one film the day after she got it, and another weeks after it ran out."""
    iphone = yield from settles_in(home, IPHONE, hour=16)
    early = yield from gets(iphone, titles.renewed_early)
    assert early, "a first download is allowed"
    late = yield from gets(iphone, titles.renewed_late)
    assert late, "so is that of another title"
    yield DAY
    yield iphone.renews(early)  # RENEWAL_TOO_EARLY
    yield iphone.held[late].expires_at - home.now_at + 20 * DAY
    yield iphone.renews(late)  # RENEWAL_TOO_LATE
