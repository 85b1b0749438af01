"""Which parts of the set-up can a person start? ``python -m deploy.local servers|doctor``."""
