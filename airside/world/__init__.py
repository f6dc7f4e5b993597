"""A world in a box: the real pipeline in one thread, under a scheduler that a seed decides."""
