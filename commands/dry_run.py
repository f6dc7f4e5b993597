"""What would be decided, without deciding it: the write side's own rules, all of them."""

from commands.account import Account, remembered
from commands.ask import ask_about
from commands.catalog import Catalog
from commands.rules import every_refusal
from schemas.commands import AcquireLicense
from schemas.events import CommandRefused


def can_download(
    account: Account,
    catalog: Catalog,
    account_id: str,
    device_id: str,
    title_id: str,
    at: int,
) -> list[CommandRefused]:
    """Every refusal that an `AcquireLicense` at that instant could get; none: it may.

    They come in the order of the rules, so the first is the one that the command would get.
    Nothing is written.
    """
    wish = AcquireLicense(
        command_id="0" * 32,
        account_id=account_id,
        issued_at=at,
        device_id=device_id,
        title_id=title_id,
    )
    account = remembered(account, at)
    ask = ask_about(wish, account, catalog, at, device_id=device_id, title_id=title_id)
    return every_refusal(ask)
