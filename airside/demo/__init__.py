"""The demo: a simulated world of households, and the tables that show what became of it."""
