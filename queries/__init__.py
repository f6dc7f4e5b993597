"""What is asked: the query layer over the read models."""
