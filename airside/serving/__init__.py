"""The query service: questions over HTTP, answered from the read models."""
