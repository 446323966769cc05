"""Every command of a noun, its success and its refusals, against a real server: transcripts/*.txt say what is printed.

    $ COMMAND...         A line to run; test_peer.py runs those outside newer_*.txt on Debian's tools, too. Marks before the command:
                         "^" lines come in the order of random UUIDs and are compared sorted; "~" the peer words it differently.
    ! MESSAGE            It ended with status 1 and this on standard error, without the program's name.
    anything else        What it printed. Every UUID is U.

TRANSCRIBE=1 writes the answers of the tool into the files: read the difference before you commit it.
"""
import os
import re
import shlex
from pathlib import Path

import pytest
from conftest import UUID

HERE = Path(__file__).parent / "transcripts"
LOG = re.compile(r"^\d{4}-\d\d-\d\dT[^\n]*\n", re.M)


def read(path):
    """(mark, command, what is printed) of every run."""
    runs = []
    for line in path.read_text().splitlines():
        if line.startswith("$ "):
            mark = line[2] if line[2] in "~^" else ""
            runs.append((mark, line[2 + len(mark):], []))
        else:
            runs[-1][2].append(line)
    return runs


def answer(result):
    lines = UUID.sub("U", result.out).splitlines()
    err = UUID.sub("U", LOG.sub("", result.err)).removeprefix("ovn-nbctl: ")
    assert result.status in (0, 1) and bool(result.status) == bool(err), result
    return lines + ["! " + line for line in err.splitlines()]


@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda p: p.stem)
def test_transcript(nbctl, path):
    text, wrong = "", []
    for mark, command, expected in read(path):
        got = answer(nbctl(*shlex.split(command)))
        text += "".join(line + "\n" for line in [f"$ {mark}{command}", *(sorted(got) if mark == "^" else got)])
        if (sorted(got) != sorted(expected)) if mark == "^" else got != expected:
            wrong.append("\n".join([f"$ {command}", "-- expected", *expected, "-- got", *got]))
    if os.environ.get("TRANSCRIBE"):
        path.write_text(text)
    else:
        assert not wrong, "\n\n".join(["", *wrong])


@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda p: p.stem)
def test_transcript_in_one_line(nbctl, path):
    """Commands see what earlier ones of their line did: all that are not refused, as one transaction, print the same."""
    line, expected = [], []
    for mark, command, answers in read(path):
        words = shlex.split(command)
        if not any(a.startswith("! ") for a in answers) and not mark == "~" and not words[0].startswith("--columns"):
            line += words if words[0] == "--" else ["--", *words]
            expected += answers
    assert sorted(filter(None, answer(nbctl(*line)))) == sorted(filter(None, expected))      # Tables have a blank line between them.
