"""What it runs on: adapters, settings, wiring and the command line."""
