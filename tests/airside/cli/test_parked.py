"""Poison on the commands topic of a running `airside up`."""

from collections.abc import Iterator

import pytest

from schemas.codec import CODEC
from schemas.commands import OpenAccount
from schemas.envelope import new_id
from tests.contracts.parking import ParkingContract, check_parked
from tests.kit.cli import CATALOG, Shell, up


def opened(account_id: str) -> OpenAccount:
    return OpenAccount(
        command_id=new_id(), account_id=account_id, issued_at=1, plan_id="ads", country="US"
    )


@pytest.mark.engines
class TestParking(ParkingContract):
    @pytest.fixture(scope="class")
    @classmethod
    def shell(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
        data = tmp_path_factory.mktemp("parked") / "data"
        with up(data):
            shell = Shell(data)
            assert shell("catalog", "load", str(CATALOG)).code == 0
            yield shell

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (b"\xc3\x01" + b"\x99" * 8 + b"later", "UNREADABLE: "),
            (CODEC.encode(opened("cut"))[:-3], "UNREADABLE: "),
            (CODEC.encode(opened("somebody-else")), "KEY_MISMATCH: "),
        ],
        ids=["unknown-fingerprint", "cut-off", "wrong-key"],
    )
    def test_poison_of_every_kind_is_parked_with_its_reason(
        self, shell: Shell, account: str, value: bytes, reason: str
    ) -> None:
        check_parked(shell, account, value, reason)
