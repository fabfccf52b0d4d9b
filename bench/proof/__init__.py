"""Shows on real processes that a fleet holds its limits as one: with Redis, without it, and while it is ill."""
