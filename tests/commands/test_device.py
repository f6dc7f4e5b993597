"""Calendar months of a device's downloads."""

import pytest

from commands.device import Device, download_counted, download_refunded, month_of

NOVEMBER, DECEMBER, JANUARY = 1_793_491_200_000, 1_796_083_200_000, 1_798_761_600_000
DEVICE = Device("d1", "tablet", "widevine", 1)


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (NOVEMBER, (NOVEMBER, DECEMBER)),
        (DECEMBER - 1, (NOVEMBER, DECEMBER)),
        (DECEMBER, (DECEMBER, JANUARY)),
        (JANUARY - 1, (DECEMBER, JANUARY)),
    ],
)
def test_an_instant_lies_in_its_utc_month(at: int, month: tuple[int, int]) -> None:
    assert month_of(at) == month


def test_a_month_s_downloads_are_gone_with_the_month() -> None:
    device = download_counted(download_counted(DEVICE, NOVEMBER), DECEMBER - 1)
    assert device.downloads_in_month(DECEMBER - 1) == 2
    assert device.downloads_in_month(DECEMBER) == 0


def test_the_next_month_counts_from_one() -> None:
    device = download_counted(download_counted(DEVICE, NOVEMBER), DECEMBER)
    assert device.downloads_in_month(DECEMBER) == 1


def test_a_refund_of_last_month_takes_nothing_from_this_one() -> None:
    device = download_counted(download_counted(DEVICE, NOVEMBER), DECEMBER)
    assert download_refunded(device, NOVEMBER).downloads_in_month(DECEMBER) == 1
