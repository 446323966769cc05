"""Lines that want the same row of a table of one row, at once: one makes it, the others find it."""
import pytest
from conftest import BUILD, UUID, Tool


@pytest.mark.parametrize("words", [["init"], ["set-ssl", "/k", "/c", "/ca"]], ids=lambda w: w[0])
def test_the_only_row_is_made_once(server, words):
    tool = Tool(BUILD / "bin/ovn-nbctl", server)
    for _ in range(5):
        tool.ok("--", "--all", "destroy", "NB_Global", "--", "--all", "destroy", "SSL")
        running = [tool.start(*words, "--", "set", "nb_global", ".", f"options:a{i}=b") for i in range(8)]
        for i, p in enumerate(running):
            out, err = p.communicate(timeout=20)
            assert p.returncode == 0, (i, out, err)
        assert len(UUID.findall(tool.ok("--bare", "--columns=_uuid", "list", "nb_global"))) == 1
