"""What ends a deployment."""


class Failure(Exception):
    """One sentence on what is wrong, one on what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}. {remedy}.")
