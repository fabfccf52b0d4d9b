"""What can go wrong in a run, told apart by what it means for the run."""


class Unavailable(Exception):
    """A peer or a part cannot be measured here; the message says why. The run goes on without it."""


class RunFailure(Exception):
    """The run cannot go on, or what it measured would not be worth printing."""
