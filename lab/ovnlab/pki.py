"""Certificates of a lab with `[central] tls = true`: an authority, and a certificate for the central and each hypervisor.

They stand in the lab's directory, in pki/. A hypervisor's certificate names it (CN = its system-id): that is what the
southbound database's roles go by (ovn-sb(5), RBAC_Role).
"""
from . import process

AUTHORITY = "cacert"
_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def _path(lab, name, kind):
    return str(lab.directory / "pki" / f"{name}.{kind}")


def create(lab):
    """Makes them all. The lab's directory exists."""
    (lab.directory / "pki").mkdir(mode=0o700)
    process.run(["openssl", "req", "-x509", *_KEY, "-days", "30", "-subj", "/CN=the authority of a lab",
                 "-keyout", _path(lab, AUTHORITY, "key"), "-out", _path(lab, AUTHORITY, "pem")])
    for name in ["central", *lab.topology.hypervisors]:
        issue(lab, name)


def issue(lab, name, days=30):
    """Makes a certificate for CN = NAME, in place of the one before."""
    request = _path(lab, name, "csr")
    process.run(["openssl", "req", "-new", *_KEY, "-subj", f"/CN={name}", "-keyout", _path(lab, name, "key"), "-out", request])
    process.run(["openssl", "x509", "-req", "-days", str(days), "-in", request, "-out", _path(lab, name, "pem"),
                 "-CA", _path(lab, AUTHORITY, "pem"), "-CAkey", _path(lab, AUTHORITY, "key"), "-CAcreateserial"])


def files(lab, name):
    """Private key, certificate, CA certificate: the arguments of `ovs-vsctl set-ssl`."""
    return [_path(lab, name, "key"), _path(lab, name, "pem"), _path(lab, AUTHORITY, "pem")]


def options(lab, name):
    """The same as options of a daemon or tool."""
    return [f"--{option}={file}" for option, file in zip(("private-key", "certificate", "ca-cert"), files(lab, name))]
