"""The sandbox's catalogue: the state of each offer at any time, and which offers are listed in which order."""
