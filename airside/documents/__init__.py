"""Offline license documents: what a device can check without a network."""
