"""The real engines on one machine, without containers: a developer's tool, not in the wheel."""
