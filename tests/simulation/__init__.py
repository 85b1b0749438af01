"""A small world in which the reconciler's pure core meets everything that can go wrong, one seed at a time."""
