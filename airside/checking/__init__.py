"""What is stored, published and served, compared with each other; mended where it can be."""
