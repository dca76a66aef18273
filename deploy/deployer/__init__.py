"""Install a release, verify it, go back: what `deploy/deploy` does. Python's standard library only."""
