"""What each command does: one function each, from a wish to the events that it becomes."""
