"""Adapters: one file per technology and port."""
