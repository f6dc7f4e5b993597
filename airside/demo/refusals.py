"""What people do after a refusal: some make room, some ask support, some give up."""

from collections.abc import Generator, Iterator

from airside.demo.device import Device
from airside.demo.stage import MINUTE, SECOND, Reply, Step
from schemas.events import CommandRefused

MAKES_ROOM = 0.5
ASKS_SUPPORT = 0.15
TAKES_A_BIGGER_PLAN = 0.3
COMES_BACK = 0.5
GIVEN_BACK_MAX = 3  # downloads that a full device gives up for a new one


def makes_way(
    device: Device, title_id: str, refusal: CommandRefused
) -> Generator[Step, Reply, bool]:
    """Does something about it, or not; whether it is worth asking again."""
    home = device.home
    yield home.random.randrange(20 * SECOND, 5 * MINUTE)
    match refusal.code:
        case "CLOCK_SKEW" | "COMMAND_STALE":
            device.clock_error_ms = 0  # asks the network for the time
            return True
        case "DEVICE_UNKNOWN" | "DEVICE_REMOVED":
            return (yield device.registers()).refusal is None
        case "LEASE_EXPIRED":
            return (yield device.renews_all()).refusal is None
        case "ACCOUNT_ON_HOLD":
            yield home.until_moment(days=2)
            return home.chance(COMES_BACK)
        case "TITLE_PERIOD_LIMIT" if home.chance(ASKS_SUPPORT):
            return (yield home.is_granted(1, title_id=title_id)).refusal is None
        case "MONTHLY_DEVICE_LIMIT" if home.chance(ASKS_SUPPORT):
            return (yield home.is_granted(3, device_id=device.id)).refusal is None
        case "TOO_MANY_DEVICES" | "PLAN_NO_DOWNLOADS" if home.chance(TAKES_A_BIGGER_PLAN):
            return (yield home.changes_plan("premium")).refusal is None
    if not home.chance(MAKES_ROOM):
        return False
    in_the_way = list(_in_the_way(device, refusal))
    for owner, license_id in in_the_way:
        home.tell(owner.releases(license_id))
    return bool(in_the_way)


def _in_the_way(device: Device, refusal: CommandRefused) -> Iterator[tuple[Device, str]]:
    """The downloads that have to go before there is room."""
    others = [each for each in device.home.devices if each is not device and each.held]
    match refusal.code:
        case "TOO_MANY_DEVICES":
            yield from ((other, held) for other in others[:1] for held in other.held)
        case "TITLE_DEVICE_LIMIT":
            for other in others:
                for license_id, held in other.held.items():
                    if held.title_id == refusal.title_id:
                        yield other, license_id
        case "STUDIO_ACTIVE_LIMIT" | "DEVICE_DOWNLOAD_LIMIT" | "ACCOUNT_DOWNLOAD_LIMIT":
            yield from ((device, held) for held in list(device.held)[:GIVEN_BACK_MAX])
