"""What bench/run is made of: servers and daemons to measure (stack), a client (rpc), a network (switching),
what is measured of it (northd, controller), and the budgets that it is held against (report)."""


class BenchError(Exception):
    """Something that a person should read; it has no traceback."""
