"""How a kind of change is measured: many of them, one after the other, each awaited; the CPU time of all, divided."""
import statistics
import time
from dataclasses import dataclass


@dataclass
class Plan:
    """How long to look: at least LEAST changes, at most MOST, and no more once SECONDS are over."""
    least: int = 5
    most: int = 100
    seconds: float = 8.0

    def up_to(self, n):
        """The same with at most N changes, as no more than N can be undone."""
        return Plan(min(self.least, n), min(self.most, n), self.seconds)


def changes(plan, processes, one):
    """Calls ONE(i) for i = 0, 1, ...; it returns the milliseconds that change I took, or None for those of the call.
    Returns (CPU milliseconds a change of each process, median latency in milliseconds, number of changes)."""
    before = [p.settle() for p in processes]
    latencies, start = [], time.monotonic()
    while len(latencies) < plan.most and (len(latencies) < plan.least or time.monotonic() - start < plan.seconds):
        t = time.monotonic()
        took = one(len(latencies))
        latencies.append((time.monotonic() - t) * 1000 if took is None else took)
    after = [p.settle() for p in processes]
    n = len(latencies)
    return [(a - b) * 1000 / n for a, b in zip(after, before)], statistics.median(latencies), n
