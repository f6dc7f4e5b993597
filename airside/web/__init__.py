"""HTTP without the domain: what both services are made of."""
