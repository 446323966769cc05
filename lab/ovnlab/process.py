"""Processes: starting them, and ending exactly those that are ours.

A process is named by its pid and its start time (field 22 of /proc/PID/stat), so that a pid that was
given to somebody else in the meantime is never signalled.
"""
import os
import signal
import subprocess
import time

from . import LabError


def be_interruptible():
    """From here on SIGTERM and SIGHUP (unless ignored: nohup) end this program as Ctrl-C does, cleaning up."""
    def interrupt(number, frame):
        raise KeyboardInterrupt
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)


def start_time(pid):
    """When the process began, in clock ticks since boot; None when there is none (a zombie is none)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            fields = f.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def is_alive(pid, start):
    return start is not None and start_time(pid) == start


def send_signal(pid, start, number):
    """Signals the process if it is still the one that began at START; False when it is gone."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not is_alive(pid, start):
            return False
        signal.pidfd_send_signal(fd, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(fd)


def wait_gone(processes, seconds):
    """Waits until all of the (pid, start) are gone; returns those that are not."""
    deadline = time.monotonic() + seconds
    while True:
        left = [p for p in processes if is_alive(*p)]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)


def end(processes, patience=2.0):
    """Ends the (pid, start) of PROCESSES: politely first, then not. Returns when they are gone."""
    processes = [p for p in processes if is_alive(*p)]
    for p in processes:
        send_signal(*p, signal.SIGTERM)
        send_signal(*p, signal.SIGCONT)
    left = wait_gone(processes, patience)
    for p in left:
        send_signal(*p, signal.SIGKILL)
    left = wait_gone(left, 5.0)
    if left:
        raise LabError("processes that do not end: " + " ".join(str(pid) for pid, _ in left))


def run(argv, stdin=None, env=None, timeout=30, check=True):
    """Runs a command to its end; returns its standard output. A failure is a LabError with its words."""
    try:
        done = subprocess.run(argv, input=stdin, env=env, timeout=timeout, text=True, errors="replace",
                              stdin=subprocess.DEVNULL if stdin is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise LabError(f"{argv[0]}: not installed") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{' '.join(argv)}: no answer in {timeout} s") from None
    if check and done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}")
        raise LabError(f"{' '.join(argv)[:300]}: {said[-1500:]}")
    return done.stdout
