"""pki.py - certificate authorities and certificates for tests, made with the openssl command in a folder of the test's."""
import pathlib
import subprocess
from datetime import datetime, timedelta, timezone

CONFIG = """
[ca]
default_ca = this
[this]
database = {dir}/index
new_certs_dir = {dir}
serial = {dir}/serial
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
"""


def when(days):
    """DAYS from now, as openssl wants it."""
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


def openssl(*argv):
    p = subprocess.run(["openssl", *map(str, argv)], capture_output=True, text=True, timeout=30)
    assert p.returncode == 0, f"openssl {' '.join(map(str, argv))}: {p.stderr}"
    return p.stdout


class Identity:
    """A key and a certificate, as files: `options()` are what a program of ours takes, with the CA that it is to trust."""

    def __init__(self, key, certificate):
        self.key, self.certificate = key, certificate

    def options(self, ca):
        ca = ca if isinstance(ca, (str, pathlib.Path)) else ca.certificate
        return [f"--private-key={self.key}", f"--certificate={self.certificate}", f"--ca-cert={ca}"]


def self_signed(folder, name, cn):
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj", f"/CN={cn}",
            "-keyout", key, "-out", certificate)
    return Identity(key, certificate)


class Authority:
    """A CA. Names of files are made of FILE_NAME; CN is that of its certificate."""

    def __init__(self, folder, file_name, cn="a test's authority"):
        self.folder, self.file_name = pathlib.Path(folder), file_name
        self.identity = self_signed(self.folder, file_name, cn)
        self.certificate = self.identity.certificate
        (self.folder / f"{file_name}.d").mkdir()
        (self.folder / f"{file_name}.d" / "index").touch()
        self.config = self.folder / f"{file_name}.cnf"
        self.config.write_text(CONFIG.format(dir=self.folder / f"{file_name}.d"))

    def issue(self, cn, start=-1, end=30, name=None):
        """A certificate for CN, valid from START to END, days from now."""
        name = f"{self.file_name}-{name or cn}"
        key, request, certificate = (self.folder / f"{name}.{e}" for e in ("key", "csr", "pem"))
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={cn}",
                "-keyout", key, "-out", request)
        openssl("ca", "-batch", "-config", self.config, "-cert", self.certificate, "-keyfile", self.identity.key, "-create_serial",
                "-startdate", when(start), "-enddate", when(end), "-notext", "-in", request, "-out", certificate)
        return Identity(key, certificate)

    def renew(self, start, end):
        """The authority's own certificate again, for its key, valid from START to END: all that it signed is still its."""
        request = self.folder / f"{self.file_name}.csr"
        openssl("req", "-new", "-key", self.identity.key, "-subj", "/" + openssl("x509", "-in", self.certificate, "-noout", "-subject",
                "-nameopt", "sep_multiline,utf8").split("\n")[1].strip(), "-out", request)
        openssl("ca", "-batch", "-config", self.config, "-selfsign", "-keyfile", self.identity.key, "-extensions", "authority",
                "-create_serial", "-startdate", when(start), "-enddate", when(end), "-notext", "-in", request, "-out", self.certificate)
