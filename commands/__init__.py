"""What is decided: the rules, and the handler that loads, decides, commits and publishes."""
