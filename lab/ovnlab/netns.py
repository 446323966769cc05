"""Network namespaces and links. Every link is created directly into namespaces, so the host's own
network never sees one, not even for a moment."""
import os

from .process import run, start_time

DIRECTORY = "/run/netns"


def names(prefix):
    """The namespaces whose name begins with PREFIX."""
    try:
        return sorted(n for n in os.listdir(DIRECTORY) if n.startswith(prefix))
    except FileNotFoundError:
        return []


def batch(lines, namespace=None):
    """Runs lines of ip(8) commands in one go, inside NAMESPACE if given."""
    if lines:
        run(["ip"] + (["-n", namespace] if namespace else []) + ["-batch", "-"], stdin="\n".join(lines) + "\n")


def add(namespaces):
    batch([f"netns add {n}" for n in namespaces])


def delete(namespaces):
    """Deletes namespaces, and with them every link inside."""
    for n in namespaces:
        run(["ip", "netns", "del", n], check=False)


def inside(namespace, argv):
    """ARGV as a command that runs inside NAMESPACE."""
    return ["nsenter", f"--net={DIRECTORY}/{namespace}", "--"] + list(argv)


def veth(end, namespace, other_end, other_namespace):
    """The ip(8) batch line that joins two namespaces by a cable."""
    return f"link add {end} netns {namespace} type veth peer name {other_end} netns {other_namespace}"


def quiet(namespace, interfaces, ipv6=False):
    """No checksum offload on INTERFACES (a userspace switch would forward unfinished checksums), and no
    IPv6 chatter unless wanted."""
    script = [f"ethtool -K {i} tx off >/dev/null" for i in interfaces]
    if not ipv6:
        script.insert(0, "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6;"
                         "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6")
    run(inside(namespace, ["sh", "-ec", "\n".join(script)]))


def _identity(path):
    try:
        st = os.stat(path)
    except OSError:
        return None
    return st.st_dev, st.st_ino


def processes(namespaces):
    """The (pid, start time) of every process inside any of the namespaces, except ourselves."""
    wanted = {_identity(f"{DIRECTORY}/{n}") for n in namespaces} - {None, _identity("/proc/self/ns/net")}
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid() and _identity(f"/proc/{entry}/ns/net") in wanted:
            start = start_time(int(entry))
            if start is not None:
                found.append((int(entry), start))
    return found
