"""`airside keygen`: a key that license documents are signed with."""

from pathlib import Path

import click

from airside.cli.output import show_json
from airside.documents.keys import make_keys


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--add", is_flag=True, help="Keep the keys that FILE has: the new one signs.")
def keygen(file: Path, add: bool) -> None:
    """Make an Ed25519 key pair in FILE, and print the public keys as a JWKS.

    \b
      airside keygen signing.json
      airside serve --signing-key signing.json      # or AIRSIDE_SIGNING_KEY

    FILE is for its owner alone, and is never written over. The public keys are what devices
    check license documents with; `airside serve` shows them at /.well-known/jwks.json. To
    change keys: `airside keygen FILE --add`, and start the service again; documents that the
    old key signed can still be checked.
    """
    show_json(make_keys(file, beside=add).jwks())
