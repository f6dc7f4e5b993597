"""What it means: pure folds of events into read models, their worker, and replay."""
