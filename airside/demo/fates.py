"""Fates: what befalls some households, each with its probability in two months."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from airside.demo.device import MODELS, PHONE
from airside.demo.household import Household
from airside.demo.life import join
from airside.demo.stage import DAY, HOUR, MINUTE, Story
from airside.demo.viewing import can_play, download, play

SHORT_FLIGHT_HOURS, LONG_FLIGHT_HOURS = 3, 14
ABROAD = ("BR", "DE", "FR", "GB", "JP", "US")


def flies(home: Household) -> Story:
    """Fills a device before a flight, watches on the plane, and reports it all on landing."""
    if not (at_hand := home.at_hand()):
        return
    device = home.random.choice(at_hand)
    for _ in range(home.random.randrange(2, 6)):
        home.begin(download(device, home.feels_like()))
    yield home.random.randrange(8 * HOUR, 16 * HOUR)
    flight_ms = home.random.randrange(SHORT_FLIGHT_HOURS * HOUR, LONG_FLIGHT_HOURS * HOUR)
    device.away_until = home.now_at + flight_ms
    playable = [license_id for license_id in device.held if can_play(device, license_id)]
    for number, license_id in enumerate(playable[:4]):
        home.begin(play(device, license_id), after_ms=(1 + number * 130) * MINUTE)
    yield device.until_online()
    home.tell(device.syncs())


def goes_off_the_grid(home: Household) -> Story:
    """Takes a device to a place without network for weeks."""
    if at_hand := home.at_hand():
        device = home.random.choice(at_hand)
        device.away_until = home.now_at + home.random.randrange(5 * DAY, 25 * DAY)
        for license_id in list(device.held)[:6]:
            if can_play(device, license_id):
                yield from play(device, license_id, minutes=90)
                yield home.random.randrange(DAY)
        yield device.until_online()
        home.tell(device.syncs())


def loses_a_device(home: Household) -> Story:
    """Removes a lost phone on the web site and registers a new one; the finder still asks."""
    if not (at_hand := home.at_hand()):
        return
    device = home.random.choice(at_hand)
    orphans = [held.title_id for held in device.held.values()]
    yield home.removes(device)
    device.lost = True
    if home.chance(0.5):
        yield home.random.randrange(HOUR, 5 * DAY)
        home.tell(device.syncs())
    yield home.random.randrange(HOUR, 3 * DAY)
    successor = home.device(PHONE)
    yield from join(successor)
    for title_id in orphans[:4]:
        home.begin(download(successor, title_id), after_ms=home.random.randrange(DAY))


def buys_a_device(home: Household) -> Story:
    """One device more in the house."""
    yield from join(home.device(home.random.choice(MODELS)))


def reinstalls_the_app(home: Household) -> Story:
    """The downloads are gone without a release; the next check-in tells."""
    if at_hand := home.at_hand():
        device = home.random.choice(at_hand)
        device.held.clear()
        yield home.random.randrange(MINUTE, HOUR)
        home.tell(device.syncs())


def loses_the_time(home: Household) -> Story:
    """An empty battery sets a device's clock to another day, until a refusal says so."""
    home.random.choice(home.devices).clock_error_ms = home.random.choice((-400, 2)) * DAY
    yield 0


def loves_one_title(home: Household) -> Story:
    """Children want the same film again and again, until the studio's limit says no."""
    title_id = home.feels_like()
    for _ in range(6):
        if home.gone or not (at_hand := home.at_hand()):
            return
        home.begin(download(home.random.choice(at_hand), title_id))
        yield home.until_moment(days=home.random.randrange(1, 8))


def takes_another_plan(home: Household) -> Story:
    """Pays more or less from now on."""
    yield home.changes_plan(home.random.choice(("ads", "basic", "standard", "premium")))


def moves_away(home: Household) -> Story:
    """Lives in another country from now on."""
    yield home.moves(home.random.choice(ABROAD))


def forgets_to_pay(home: Household) -> Story:
    """Is on hold for some days, wants something all the same, and pays."""
    yield home.is_suspended("payment failed")
    if at_hand := home.at_hand():
        home.begin(download(at_hand[0], home.feels_like()), after_ms=3 * HOUR)
    yield home.random.randrange(DAY, 6 * DAY)
    yield home.is_reinstated("paid")


def leaves(home: Household) -> Story:
    """Ends the membership; one device finds out later."""
    yield home.closes("moved to another service")
    yield home.random.randrange(HOUR, 5 * DAY)
    if at_hand := home.at_hand():
        yield at_hand[0].acquires(home.feels_like())
    home.gone = True


def wants_to_be_forgotten(home: Household) -> Story:
    """Ends the membership and has everything about it erased."""
    yield home.closes("privacy")
    home.gone = True
    yield home.random.randrange(HOUR, 3 * DAY)
    yield home.is_erased()


def loses_a_title(home: Household) -> Story:
    """Support takes back a title that was sold by mistake."""
    held = [held.title_id for device in home.devices for held in device.held.values()]
    if held:
        yield home.is_revoked("licensed by mistake", title_id=home.random.choice(held))


FATES: Mapping[Callable[[Household], Story], float] = MappingProxyType(
    {
        flies: 0.35,
        goes_off_the_grid: 0.06,
        loses_a_device: 0.06,
        buys_a_device: 0.12,
        reinstalls_the_app: 0.08,
        loses_the_time: 0.05,
        loves_one_title: 0.20,
        takes_another_plan: 0.10,
        moves_away: 0.04,
        forgets_to_pay: 0.05,
        leaves: 0.04,
        wants_to_be_forgotten: 0.02,
        loses_a_title: 0.02,
    }
)
