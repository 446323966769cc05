"""What bench/run is made of: servers and daemons to measure (stack), a client (rpc), networks (switching, kube),
what is measured of them (northd, controller, logical), and the budgets that it is held against (report)."""


class BenchError(Exception):
    """Something that a person should read; it has no traceback."""
