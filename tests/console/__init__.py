"""A package, so that its fixtures end with it: while the browser is driven no loop may run."""
