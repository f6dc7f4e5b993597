"""The page for support staff and operators: plain files, and the routes that serve them."""
