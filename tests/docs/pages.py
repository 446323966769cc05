"""The manual pages as the build has made them: their scdoc sources and what can be asked of them."""
import os
import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", REPO / "build"))
MAN = BUILD / "man"
BIN = BUILD / "bin"
LAB = REPO / "lab/ovn-lab"

# Pages of others that ours may refer to.
ELSEWHERE = {"ovsdb-server(1)", "ovsdb-tool(1)", "ovs-vsctl(8)", "ovs-vswitchd(8)", "ovs-appctl(8)", "ovs-ofctl(8)", "ovs-fields(7)",
             "systemd(1)", "tcpdump(8)", "ip-netns(8)", "nice(1)", "dot(1)", "pcap-filter(7)"}


class Page:
    def __init__(self, path):
        self.title = path.name.removesuffix(".scd")            # ovn-nbctl.8
        self.name, _, self.section = self.title.rpartition(".")
        self.text = path.read_text()
        # Examples are not marked up, and neither are our comments.
        self.prose = re.sub(r"^;.*\n", "", re.sub(r"^\t*```\n.*?^\t*```\n", "", self.text, flags=re.M | re.S), flags=re.M)

    def bold(self):
        """The words in bold type, without the escapes."""
        return [re.sub(r"\\(.)", r"\1", m) for m in re.findall(r"(?<![\\\w])\*((?:\\.|[^*\n\\])+)\*", self.prose)]

    def options(self):
        return {word for text in self.bold() for word in re.findall(r"^--?[A-Za-z][A-Za-z-]*", text)}

    def section_text(self, title):
        m = re.search(rf"^# {re.escape(title)}\n(.*?)(?=^# |\Z)", self.prose, re.M | re.S)
        return m.group(1) if m else ""

    def defined(self, title):
        """The names that begin the entries of a section: bold, at the beginning of a line or after a comma there."""
        return {re.sub(r"\\(.)", r"\1", m) for line in re.findall(r"^\*.*$", self.section_text(title), re.M)
                for m in re.findall(r"(?:^|, )\*([^*]+)\*", line)}

    def references(self):
        return set(re.findall(r"(?<![\w.-])\*?([a-z][a-z0-9_-]*)\*?(\([1-9]\))", self.prose))


def pages():
    return {p.title: p for p in map(Page, sorted(MAN.glob("*.scd")))}
