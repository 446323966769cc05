"""What the packages in a folder (argument) have: each file in one of them, the right ones in the right ones."""
import pathlib
import re
import subprocess
import sys
import tempfile

work = pathlib.Path(sys.argv[1])
debs = {d.name.split("_")[0]: d for d in work.glob("*.deb") if "-dbgsym_" not in d.name}
assert set(debs) == {"ovn-common", "ovn-central", "ovn-host", "ovn-doc"}, debs

owner = {}
for package, deb in debs.items():
    for line in subprocess.run(["dpkg-deb", "-c", deb], check=True, capture_output=True, text=True).stdout.splitlines():
        mode, user, _, _, _, path = line.split(None, 5)
        assert user == "root/root", line
        if not mode.startswith("d"):
            assert path not in owner, f"{path} is in {owner[path]} and in {package}"
            owner[path] = package
            assert not re.match(r"\./(home|tmp|work|usr/local|var/run)/", path), path
            assert ("x" in mode) == bool(re.search(r"/bin/|/ovn-ctl$", path)), line

expected = {"ovn-central": """/usr/bin/ovn-northd /usr/share/ovn/ovn-nb.ovsschema /usr/share/ovn/ovn-sb.ovsschema /etc/default/ovn-central
                              /lib/systemd/system/ovn-central.service /lib/systemd/system/ovn-northd.service
                              /lib/systemd/system/ovn-ovsdb-server-nb.service /lib/systemd/system/ovn-ovsdb-server-sb.service""",
            "ovn-host": """/usr/bin/ovn-controller /etc/default/ovn-host /lib/systemd/system/ovn-controller.service
                           /lib/systemd/system/ovn-host.service""",
            "ovn-common": """/usr/bin/ovn-nbctl /usr/bin/ovn-sbctl /usr/bin/ovn-appctl /usr/share/ovn/scripts/ovn-ctl
                             /usr/share/ovn/scripts/ovn-lib /etc/logrotate.d/ovn-common
                             /usr/share/bash-completion/completions/ovn-nbctl /usr/share/bash-completion/completions/ovn-sbctl
                             /usr/share/bash-completion/completions/ovn-appctl"""}
for package, paths in expected.items():
    for path in paths.split():
        assert owner.get("." + path) == package, (path, owner.get("." + path))

for package, deb in debs.items():
    field = lambda name: subprocess.run(["dpkg-deb", "-f", deb, name], check=True, capture_output=True, text=True).stdout.strip()
    if package in ("ovn-central", "ovn-host"):
        assert f"ovn-common (= {field('Version')})" in field("Depends")
    assert package == "ovn-doc" or "libc6" in field("Depends") and "openvswitch" in field("Depends"), field("Depends")
    with tempfile.TemporaryDirectory() as d:
        subprocess.run(["dpkg-deb", "-e", deb, d], check=True)
        for script in "preinst", "postinst", "prerm", "postrm":
            if (pathlib.Path(d) / script).exists():
                subprocess.run(["sh", "-n", f"{d}/{script}"], check=True)

with tempfile.TemporaryDirectory() as root:
    for deb in debs.values():
        subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
    (pathlib.Path(root) / "bin").mkdir(exist_ok=True)
    for name in "kill", "true":
        (pathlib.Path(root) / "bin" / name).symlink_to("/usr/bin/" + name)
    units = sorted(str(p) for p in pathlib.Path(root).glob("lib/systemd/system/*.service"))
    r = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={root}", *["/" + str(pathlib.Path(u).relative_to(root)) for u in units]],
                       capture_output=True, text=True)
    said = [line for line in r.stderr.splitlines() if re.search(r"\.service:\d+:", line)]     # FILE:LINE: what is wrong there
    assert not said, said
print(f"contents: {len(owner)} files in {len(debs)} packages, {len(units)} units")
