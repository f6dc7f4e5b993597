"""`python -m airside`: the same as `airside`."""

from airside.cli.main import main

main(prog_name="airside")
