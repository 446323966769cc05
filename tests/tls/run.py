"""run.py - runs the test_* functions of a script: `SCRIPT PROBE [NAME...]`, each on a ground of its own, several at once."""
import concurrent.futures
import sys
import time
import traceback


def main(names, ground_class, workers=4):
    probe, chosen = sys.argv[1], sys.argv[2:]
    tests = {n: f for n, f in names.items() if n.startswith("test_") and callable(f) and (not chosen or n in chosen)}

    def one(f):
        start = time.monotonic()
        try:
            with ground_class(probe) as g:
                f(g)
        except BaseException:
            return time.monotonic() - start, traceback.format_exc()
        return time.monotonic() - start, None

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for name, future in [(n, pool.submit(one, f)) for n, f in tests.items()]:
            seconds, error = future.result()
            failed += error is not None
            print(f"{'FAIL' if error else 'ok  '} {name} {seconds:.2f} s", flush=True)
            if error:
                print(error, flush=True)
    sys.exit(1 if failed or not tests else 0)
