"""The parts of `airside.client`: requests that are tried again, errors, ids, event streams."""
