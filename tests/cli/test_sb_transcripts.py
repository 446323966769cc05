"""ovn-sbctl: every command, its success and its refusals: sb_transcripts/*.txt, written as transcripts/*.txt are (test_transcripts.py), on our schema
and, but for newer_*.txt, beside the peer's tool on its own."""
import os
import shlex
from pathlib import Path

import pytest
from conftest import BUILD, PEER, UUID, Server, Tool
from test_peer import compare
from test_transcripts import LOG, read

FILES = sorted((Path(__file__).parent / "sb_transcripts").glob("*.txt"))
TABLES = ("Logical_Flow", "Multicast_Group", "MAC_Binding", "Load_Balancer", "Port_Binding", "Logical_DP_Group", "Datapath_Binding", "Chassis", "SB_Global",
          "Connection", "Address_Set", "Meter")


def empty(tool):
    for table in TABLES:
        tool.ok("--", "--all", "destroy", table)


def answer(result):
    lines = UUID.sub("U", result.out).splitlines()
    err = UUID.sub("U", LOG.sub("", result.err)).removeprefix("ovn-sbctl: ")
    assert result.status in (0, 1) and bool(result.status) == bool(err), result
    return lines + ["! " + line for line in err.splitlines()]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_transcript(server, path):
    sbctl = Tool(BUILD / "bin/ovn-sbctl", server)
    empty(sbctl)
    text, wrong = "", []
    for mark, command, expected in read(path):
        got = answer(sbctl(*shlex.split(command)))
        text += "".join(line + "\n" for line in [f"$ {mark}{command}", *(sorted(got) if mark == "^" else got)])
        if (sorted(got) != sorted(expected)) if mark == "^" else got != expected:
            wrong.append("\n".join([f"$ {command}", "-- expected", *expected, "-- got", *got]))
    empty(sbctl)
    if os.environ.get("TRANSCRIBE"):
        path.write_text(text)
    else:
        assert not wrong, "\n\n".join(["", *wrong])


@pytest.mark.skipif(not (PEER / "usr/bin/ovn-sbctl").exists(), reason="Debian's OVN is not unpacked (make check-peer)")
@pytest.mark.parametrize("path", [p for p in FILES if not p.stem.startswith("newer_")], ids=lambda p: p.stem)
def test_as_the_peer(path):
    servers = [Server(PEER / "usr/share/ovn") for _ in range(2)]
    try:
        compare(servers, "ovn-sbctl", [(mark, shlex.split(command)) for mark, command, _ in read(path)])
    finally:
        for server in servers:
            server.close()
