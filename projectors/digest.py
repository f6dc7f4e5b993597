"""The digest of a shard's rows: one number that says whether any of them was changed.

It is the sum, modulo 2**128, of every row's own digest, seeded by its key. A sum has no order,
so whoever changes a row takes what was there out of it and adds what is there now: keeping it
up to date costs two additions for a row that is written anyway, and its checkpoint holds it.

What the sum is changed by is what was really there. A row that somebody altered by hand, and
that a worker reads and folds on, leaves as altered: the difference to what it should have been
stays in the sum for ever. The hash is quick, not secret: it finds bugs and slips of a hand, and
not somebody who computes a fitting digest.
"""

from collections.abc import Mapping

from xxhash import xxh3_64_intdigest, xxh3_128_intdigest

MODULUS = 1 << 128


def row_digest(key: str, row: bytes | None) -> int:
    """One row's part of the sum; 0 where there is no row."""
    return 0 if row is None else xxh3_128_intdigest(row, xxh3_64_intdigest(key.encode()))


def digest_of(rows: Mapping[str, bytes | None]) -> int:
    """The digest of exactly these rows."""
    return sum(row_digest(key, row) for key, row in rows.items()) % MODULUS


class RowDigests:
    """The digests of the rows in a `RowCache`, whose two halves they follow."""

    def __init__(self) -> None:
        self._digests: dict[str, int] = {}
        self._older: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._digests) + len(self._older)

    def replaced(
        self,
        digest: int | None,
        read: Mapping[str, bytes | None],
        written: Mapping[str, bytes | None],
    ) -> int | None:
        """A shard's digest when rows are written; None stays None: it is not known.

        `read`: the rows among them that were not in memory, as the store has them.
        """
        if digest is None:
            return None
        digests, older = self._digests, self._older
        for key, row in read.items():
            digests[key] = row_digest(key, row)
        for key, row in written.items():
            before = digests.get(key)
            after = digests[key] = row_digest(key, row)
            digest += after - (older.pop(key, 0) if before is None else before)
        return digest % MODULUS

    def age(self) -> None:
        """The older half of the rows was forgotten, and what is there became the older half."""
        self._older = self._digests
        self._digests = {}

    def clear(self) -> None:
        """All rows were forgotten."""
        self._digests = {}
        self._older = {}
