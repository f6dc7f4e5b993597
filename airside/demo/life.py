"""A household's life: it opens an account on a busy first day, and then goes on for months."""

from airside.demo.device import Device
from airside.demo.household import Household
from airside.demo.stage import HOUR, MINUTE, SECOND, Story
from airside.demo.viewing import download

FIRST_DAY_DOWNLOADS = 7  # of a household, on average: it is the evening before the holidays
EVENING_DOWNLOADS = 1.6
DAYS_BETWEEN = 13  # evenings with downloads
DAYS_BETWEEN_SYNCS = 15
RENEWS_ALL = 0.25  # of all syncs: the device is on the charger and tops up its licenses
FAVORITE = 0.6  # of all downloads go to the first device


def lives(home: Household) -> Story:
    """From the first day on."""
    yield home.opens()
    for device in home.devices:
        yield home.random.randrange(30 * SECOND, 10 * MINUTE)
        yield from join(device)
    for _ in range(1 + int(home.random.expovariate(1 / FIRST_DAY_DOWNLOADS))):
        home.begin(wants_something(home), after_ms=home.until_moment())
    while not home.gone:
        yield home.until_moment(days=1 + int(home.random.expovariate(1 / DAYS_BETWEEN)))
        for _ in range(1 + int(home.random.expovariate(1 / EVENING_DOWNLOADS))):
            home.begin(wants_something(home), after_ms=home.random.randrange(HOUR))


def join(device: Device) -> Story:
    """A device is registered, sets its clock if it must, and checks in from then on."""
    reply = yield device.registers()
    if reply.code == "CLOCK_SKEW":
        device.clock_error_ms = 0
        yield device.registers()
    device.home.begin(check_in(device))


def check_in(device: Device) -> Story:
    """Every week or two the device says what it holds, and sometimes renews all of it."""
    home = device.home
    while True:
        gap_days = 1 + int(home.random.expovariate(1 / DAYS_BETWEEN_SYNCS))
        yield home.until_moment(days=gap_days)
        yield device.until_online()
        if home.gone or device.lost:
            return
        if device.held and home.chance(RENEWS_ALL):
            yield device.renews_all()
        home.tell(device.syncs())


def wants_something(home: Household) -> Story:
    """Somebody feels like a title and reaches for a device."""
    at_hand = home.at_hand()
    if at_hand and not home.gone:
        device = at_hand[0] if home.chance(FAVORITE) else home.random.choice(at_hand)
        yield from download(device, home.feels_like())
