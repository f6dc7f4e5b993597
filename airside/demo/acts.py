"""Acts: the beginnings and passages that the scripts of the cast have in common."""

from collections.abc import Generator

from airside.demo.device import Device, Model
from airside.demo.household import Household
from airside.demo.stage import MINUTE, Reply, Step
from airside.demo.viewing import fetch


def settles_in(
    home: Household, model: Model, *, day: int = 0, hour: int
) -> Generator[Step, Reply, Device]:
    """Opens the account and registers a first device, which is returned."""
    yield home.until_day(day, hour=hour)
    yield home.opens()
    device = home.device(model)
    yield MINUTE
    yield device.registers()
    yield MINUTE
    return device


def gets(device: Device, title_id: str) -> Generator[Step, Reply, str | None]:
    """Downloads a title and fetches its media; the license, or None where it was refused."""
    license_id = (yield device.acquires(title_id)).license_id
    if license_id is not None:
        yield from fetch(device, license_id)
    return license_id
