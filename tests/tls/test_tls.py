#!/usr/bin/env python3
"""test_tls.py - ssl: connections of the OVSDB client against real ovsdb-servers and against servers that misbehave.

    SCHEMAS=build/schema tests/tls/test_tls.py build/tests/ovsdb/ovsdb-probe [NAME...]

Each test_* function gets a Tls (a Ground with certificate authorities); several run at once. Prints a line a test; fails if one does.
"""
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "ovsdb"))
import ground  # noqa: E402
import run  # noqa: E402
from ground import Ground, Server, wait_until  # noqa: E402
from pki import Authority, openssl, self_signed  # noqa: E402

NB = "OVN_Northbound"
A = "aaaaaaaa-1111-4111-8111-111111111111"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class TlsServer(Server):
    """ovsdb-server that listens on TLS too."""

    def __init__(self, tls, options, **how):
        super().__init__(tls, "nb", **how)
        self.port = free_port()
        self.args = [f"--remote=pssl:{self.port}:127.0.0.1", *options, *self.args]

    def remote(self):
        return f"ssl:127.0.0.1:{self.port}"


class Listener:
    """A TCP server of ours: TALK(connection) in a thread each."""

    def __init__(self, tls, talk):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.talk, self.connections = talk, 0
        tls.later(self.sock.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        with c:
            try:
                self.talk(c)
            except OSError:
                pass

    def remote(self, scheme="ssl"):
        return f"{scheme}:127.0.0.1:{self.port}"


class Tls(Ground):
    def __enter__(self):
        self.ca = Authority(self.dir, "ca")
        self.client_id = self.ca.issue("hv1")
        return self

    def tls_server(self, identity=None, ca=None, *more, name="s", **how):
        identity = identity or self.ca.issue(f"the server {name}")
        return TlsServer(self, [*identity.options(ca or self.ca), *more], name=name, **how).start()

    def tls_client(self, remote, identity=None, ca=None, *more):
        return self.client("nb", remote, *(identity or self.client_id).options(ca or self.ca), *more)

    def context(self, identity=None, **how):
        """For a TLS server in Python that asks for a certificate of our CA's."""
        identity = identity or self.ca.issue("a python server")
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(identity.certificate, identity.key)
        c.load_verify_locations(self.ca.certificate)
        c.verify_mode = ssl.CERT_REQUIRED
        for k, v in how.items():
            setattr(c, k, v)
        return c


def works(client):
    client.until(connected=1)
    n = client.count("Logical_Switch")
    assert client.commit(f'insert Logical_Switch {A} {{"name": "sw"}}')()[:2] == ("success", True)
    assert client.count("Logical_Switch") == n + 1
    assert client.commit(f"delete Logical_Switch {A}")()[0] == "success"


def says(client, *texts, level="WARN"):
    """The client is not connected, and says why: in its status and, once, in its log."""
    status = client.until(connected=0, error=texts[0])
    for text in texts:
        assert text in status["error"], status["error"]
    wait_until("the log", lambda: client.logged(texts[0]))
    time.sleep(0.1)
    lines = [line for line in client.log if texts[0] in line]
    assert len(lines) == 1 and f"|{level}|" in lines[0], client.log


# ---- it works ----

def test_unix_tcp_and_ssl(g):
    server = g.tls_server()
    port = free_port()
    server.appctl("ovsdb-server/add-remote", f"ptcp:{port}:127.0.0.1")
    for remote in (f"unix:{server.sock}", f"tcp:127.0.0.1:{port}", server.remote(), f"ssl:localhost:{server.port}"):
        c = g.tls_client(remote)
        works(c)
        assert not any("WARN" in line or "|ERR|" in line for line in c.log), c.log


def test_identity_from_the_database(g):
    """As from the SSL row; what the command line says goes before."""
    server, identity = g.tls_server(), g.client_id
    c = g.client("nb", server)
    says(c, "needs --private-key")
    row = f"{identity.key} {identity.certificate} {g.ca.certificate}"
    assert c.ask(f"tls-database {row}") == "news 1" and c.ask(f"tls-database {row}") == "news 0"
    works(c)
    other = Authority(g.dir, "other", "another authority").issue("hv1")
    c = g.tls_client(server.remote())
    c.ask(f"tls-database {other.key} {other.certificate} {g.ca.certificate}")
    c.send("reconnect")
    works(c)


def test_much_data_both_ways(g):
    server = g.tls_server()
    outside = server.rpc()
    for i in range(20):
        outside.transact(NB, *({"op": "insert", "table": "Logical_Switch",
                                "row": {"name": f"sw{i}-{j}", "external_ids": ["map", [["k", "v" * 1000]]]}} for j in range(500)))
    c = g.tls_client(server.remote())
    c.until(connected=1, seconds=20)
    assert c.count("Logical_Switch") == 10000
    for i in range(3):                                     # 2 MB in one message, more than sockets hold.
        ops = ",".join(json.dumps(["k%d" % j, "w" * 1000]) for j in range(2000))
        assert c.commit(f'insert NB_Global {A[:-1]}{i} {{"external_ids": ["map", [{ops}]]}}' if not i else
                        f'update NB_Global {A[:-1]}0 {{"options": ["map", [{ops}]], "name": "{i}"}}')()[0] == "success"
    row = outside.transact(NB, {"op": "select", "table": "NB_Global", "where": []})[0]["rows"][0]
    assert len(row["options"][1]) == 2000 and row["name"] == "2"


def test_protocols_and_ciphers(g):
    seen = []

    def listener(**how):
        context = g.context(**how)

        def talk(c):
            with context.wrap_socket(c, server_side=True) as s:
                seen.append((s.version(), s.cipher()[0]))
                s.recv(1)
        return Listener(g, talk)

    def agreed(server, *options):
        """The version and the cipher that a client with OPTIONS and SERVER agree on."""
        c = g.tls_client(server.remote(), None, None, *options)
        wait_until("a connection", lambda: seen)
        c.process.stdin.close()
        c.process.wait(10)
        first = seen[0]
        seen.clear()
        return first

    v12 = listener(maximum_version=ssl.TLSVersion.TLSv1_2)
    v13 = listener(minimum_version=ssl.TLSVersion.TLSv1_3)
    both = listener()
    for server, option, version in ((v12, None, "TLSv1.2"), (v13, None, "TLSv1.3"), (both, None, "TLSv1.3"),
                                    (both, "TLSv1.2", "TLSv1.2"), (both, "TLSv1.3", "TLSv1.3"), (both, "TLSv1.2+", "TLSv1.3"),
                                    (both, "TLSv1.2,TLSv1.3", "TLSv1.3"), (both, "TLSv1,TLSv1.1 TLSv1.2", "TLSv1.2"),
                                    (both, "TLSv1.1-TLSv1.2", "TLSv1.2")):
        assert agreed(server, *([f"--ssl-protocols={option}"] if option else []))[0] == version, option
    for server, option, cipher in ((both, "ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
                                   (v12, "ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384")):
        assert agreed(server, f"--ssl-{option}={cipher}")[1] == cipher

    says(g.tls_client(v12.remote(), None, None, "--ssl-protocols=TLSv1.3"), "refuses our protocol versions")
    says(g.tls_client(v13.remote(), None, None, "--ssl-protocols=TLSv1.2"), "refuses our protocol versions")
    says(g.tls_client(both.remote(), None, None, "--ssl-ciphers=nonsense"), 'ciphers "nonsense"')
    says(g.tls_client(both.remote(), None, None, "--ssl-ciphersuites=nonsense"), 'ciphersuites "nonsense"')
    for bad in ("TLSv1", "SSLv3", "TLSv1.3-TLSv1.2", "TLSv1.1,nonsense", "-", "+", ""):
        p = subprocess.run([g.probe, "nb", "unix:/x", f"--ssl-protocols={bad}"], capture_output=True, text=True, timeout=5)
        assert p.returncode == 1 and "--ssl-protocols" in p.stderr, (bad, p)


def test_server_name(g):
    asked = []

    def note(sock, name, context):
        asked.append(name)

    context = g.context(sni_callback=note)
    listener = Listener(g, lambda c: context.wrap_socket(c, server_side=True))
    for remote, options, name in ((listener.remote(), [], None), (f"ssl:localhost:{listener.port}", [], "localhost"),
                                  (listener.remote(), ["--ssl-server-name=sb.example"], "sb.example"),
                                  (f"ssl:localhost:{listener.port}", ["--ssl-server-name=sb.example"], "sb.example")):
        asked.clear()
        c = g.tls_client(remote, None, None, *options)
        assert wait_until("a connection", lambda: asked)[0] == name
        c.ask("remotes ")


# ---- refusals ----

def test_servers_that_we_refuse(g):
    other = Authority(g.dir, "other", "another authority")
    namesake = Authority(g.dir, "namesake")                # Of the same name as ours.
    cases = ((g.ca.issue("old server", -20, -10), "(old server) expired on 20"),
             (g.ca.issue("young server", 10, 20), "(young server) is not yet valid, but from 20"),
             (self_signed(g.dir, "selfish", "selfish"), "(selfish) is self-signed, and not in"),
             (other.issue("foreign server"), "signed by another CA (another authority)"),
             (namesake.issue("false server"), "signed by another CA (a test's authority)"))
    for i, (identity, text) in enumerate(cases):
        server = g.tls_server(identity, name=f"s{i}")
        says(g.tls_client(server.remote()), text)
    works(g.tls_client(server.remote(), None, "none"))     # --ca-cert=none
    stale = Authority(g.dir, "stale", "a stale authority")
    server = g.tls_server(stale.issue("its server"), name="stale-server")
    c = g.tls_client(server.remote(), None, stale)
    works(c)
    stale.renew(-20, -10)
    c.send("reconnect")
    says(c, "the peer's CA certificate (a stale authority) expired on 20")
    stale.renew(-10, 10)                                   # Renewed, and no certificate anew.
    works(c)
    says(g.tls_client(server.remote(), None, self_signed(g.dir, "unused", "unused").certificate), "another CA")


def test_servers_that_refuse_us(g):
    server = g.tls_server()
    other = Authority(g.dir, "other", "another authority")
    cases = ((g.ca.issue("hv1", -20, -10, "old"), "(hv1), which expired on 20", "certificate expired"),
             (g.ca.issue("hv1", 10, 20, "young"), "(hv1), which is not valid before 20", "refuses"),
             (self_signed(g.dir, "selfish", "selfish"), "(selfish), which is self-signed", "not signed by its CA"),
             (other.issue("hv1"), "(hv1), which is signed by another authority", "not signed by its CA"))
    for identity, *texts in cases:
        c = g.tls_client(server.remote(), identity)
        says(c, *texts)
        ours = "which expired" in texts[0] or "not valid before" in texts[0]
        assert ours == any("our certificate" in line and "peers will refuse it" in line for line in c.log), c.log


def test_wrong_files(g):
    server, ca, key, certificate = g.tls_server(), g.ca.certificate, g.client_id.key, g.client_id.certificate
    garbage = g.dir / "garbage.pem"
    garbage.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n" + os.urandom(99))
    locked = g.dir / "locked.pem"
    openssl("ec", "-in", key, "-aes128", "-passout", "pass:secret", "-out", locked)
    other_key = g.ca.issue("other").key
    option = lambda k, c, a: [f"--private-key={k}", f"--certificate={c}", f"--ca-cert={a}"]
    empty = g.dir / "empty.pem"
    empty.touch()

    def half(path):
        cut = g.dir / f"half-{pathlib.Path(path).name}"
        cut.write_bytes(pathlib.Path(path).read_bytes()[:pathlib.Path(path).stat().st_size // 2])
        return cut

    cases = ((option("/no/key", certificate, ca), "private key /no/key: No such file"),
             (option(key, "/no/certificate", ca), "certificate /no/certificate: No such file"),
             (option(key, certificate, "/no/ca"), "CA certificate /no/ca: No such file"),
             (option(g.dir, certificate, ca), "Is a directory"),
             (option(garbage, certificate, ca), "garbage.pem: not a usable key"),
             (option(locked, certificate, ca), "locked.pem: not a usable key"),
             (option(key, garbage, ca), "garbage.pem: not a usable certificate"),
             (option(key, key, ca), "not a usable certificate"),
             (option(key, certificate, garbage), "garbage.pem: no usable certificate"),
             (option(key, certificate, key), "no usable certificate"),
             (option(other_key, certificate, ca), f"private key {other_key} does not match certificate {certificate}"),
             (option(empty, certificate, ca), "private key " + str(empty) + ": not a usable key"),
             (option(key, empty, ca), "certificate " + str(empty) + ": not a usable certificate"),
             (option(key, certificate, empty), "CA certificate " + str(empty) + ": no usable certificate"),
             (option(half(key), certificate, ca), "half-ca-hv1.key: not a usable key"),
             (option(key, half(certificate), ca), "half-ca-hv1.pem: not a usable certificate"),
             (option(key, certificate, half(ca)), "half-ca.pem: no usable certificate"),
             (option(certificate, key, ca), "not a usable certificate"),
             (option(key, ca, certificate), f"private key {key} does not match certificate {ca}"),
             (option(key, certificate, certificate), "signed by another CA"),
             (option(key, certificate, ca)[1:], "needs --private-key"),
             (option(key, certificate, ca)[::2], "needs --certificate"),
             (option(key, certificate, ca)[:2], "needs --ca-cert"))
    clients = [(g.client("nb", server, *options), text) for options, text in cases]
    for c, text in clients:
        says(c, text)
    p = subprocess.run([g.probe, "nb", server.remote(), f"--ca-cert={ca}", "--bootstrap-ca-cert=/x"], capture_output=True,
                       text=True, timeout=5)
    assert p.returncode == 1 and "exclude each other" in p.stderr
    locked_out = g.dir / "unreadable.key"
    shutil.copy(key, locked_out)
    locked_out.chmod(0)
    argv = ["setpriv", "--reuid=65534", "--clear-groups", g.probe, "nb", server.remote(), *option(locked_out, certificate, ca)]
    g.dir.chmod(0o755)
    if os.access(g.probe, os.X_OK) and subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "test", "-x", g.probe]).returncode == 0:
        p = g.popen(argv, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        assert b"unreadable.key: Permission denied" in p.stderr.readline()


def test_old_protocol(g):
    identity, port = g.ca.issue("old"), free_port()
    p = g.popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-key", identity.key, "-cert", identity.certificate,
                 "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-quiet"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
    wait_until("openssl listens", lambda: not socket.socket().connect_ex(("127.0.0.1", port)))
    says(g.tls_client(f"ssl:127.0.0.1:{port}"), "protocol version")
    p.kill()


def test_plain_and_tls_crossed(g):
    server = g.tls_server()
    port = free_port()
    server.appctl("ovsdb-server/add-remote", f"ptcp:{port}:127.0.0.1")
    c = g.tls_client(f"ssl:127.0.0.1:{port}")              # ovsdb-server says nothing and hangs up.
    says(c, "during the TLS handshake (does it speak TLS? tcp: is without)", level="INFO")
    talkative = Listener(g, lambda c: c.sendall(b'{"id":null,"method":"echo","params":[]}') or c.recv(9999))
    says(g.tls_client(talkative.remote()), "the peer does not speak TLS here")
    http = Listener(g, lambda c: c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n") or c.recv(9999))
    says(g.tls_client(http.remote()), "the peer does not speak TLS here")
    c = g.client("nb", f"tcp:127.0.0.1:{server.port}")
    c.until(connected=0, error="without a word (does it speak TLS? ssl: is with it)")
    alert = Listener(g, lambda c: c.sendall(b"\x15\x03\x01\x00\x02\x02\x46") or c.recv(9999))      # As other libraries do.
    says(g.client("nb", alert.remote("tcp")), "the peer speaks TLS here: use ssl:")


# ---- files change ----

def replace(identity, by):
    shutil.copy(by.key, identity.key)
    shutil.copy(by.certificate, identity.certificate)


def test_rotation(g):
    """New certificates without a restart, a half-written file, a whole one again."""
    names = []
    context = g.context()

    def talk(c):
        with context.wrap_socket(c, server_side=True) as s:
            names.append(dict(x[0] for x in s.getpeercert()["subject"])["commonName"])
            while s.recv(9999):
                pass

    listener = Listener(g, talk)
    mine = g.ca.issue("mine")
    c = g.client("nb", listener, *mine.options(g.ca))

    def again():
        n = len(names)
        c.send("reconnect")
        wait_until("another connection", lambda: len(names) > n)
        return names[-1]

    wait_until("a connection", lambda: names)
    replace(mine, g.ca.issue("second"))
    assert again() == "second"
    assert c.logs("read the TLS files again")
    # Half written: the old one stays in use, and that is said once. Also by the look that is taken every minute.
    whole = mine.certificate.read_text()
    mine.certificate.write_text(whole[:len(whole) // 2])
    c.send("tls-refresh")
    wait_until("a word", lambda: c.logged("not a usable certificate"))
    assert again() == "second"
    third = g.ca.issue("third")
    shutil.copy(third.certificate, mine.certificate)       # The key is to follow.
    assert again() == "second"
    wait_until("a word", lambda: c.logged("does not match"))
    assert sum("|WARN|" in line and "stay in use" in line for line in c.log) == 2, c.log
    shutil.copy(third.key, mine.key)
    assert again() == "third"
    mine.key.unlink()
    assert again() == "third"
    assert not any(names.count(n) == 0 for n in ("mine", "second", "third"))


def test_refused_then_mended(g):
    """Expired in use: the server's refusal ends when the file is renewed, without a restart."""
    server = g.tls_server()
    mine = g.ca.issue("hv1", -20, -10, "mine")
    c = g.tls_client(server.remote(), mine)
    says(c, "which expired on")
    replace(mine, g.client_id)
    works(c)
    # Likewise the CA: the server comes back with a certificate of another.
    other = Authority(g.dir, "other", "another authority")
    cas = g.dir / "cas.pem"
    shutil.copy(g.ca.certificate, cas)
    c = g.client("nb", server, *g.client_id.options(cas))
    works(c)
    server.kill()
    options = other.issue("moved").options(g.ca)
    server.args[1:4] = options
    server.start()
    c.until(connected=0, error="signed by another CA (another authority)", seconds=15)
    with open(cas, "a") as f:
        f.write(pathlib.Path(other.certificate).read_text())
    c.until(connected=1, seconds=15)


def test_bootstrap(g):
    peer = [f"--peer-ca-cert={g.ca.certificate}"]
    server = g.tls_server(None, None, *peer)
    other = Authority(g.dir, "other", "another authority")
    silent = g.tls_server(None, other, name="silent")      # A server that knows its CA sends it even unasked.
    file = g.dir / "bootstrapped.pem"
    mine = g.client_id.options(g.ca)[:2]
    c = g.client("nb", silent, *mine, f"--bootstrap-ca-cert={file}")
    says(c, "does not send its CA certificate")
    assert not file.exists()
    began = time.monotonic()
    c = g.client("nb", server, *mine, f"--bootstrap-ca-cert={file}")
    works(c)
    assert time.monotonic() - began < 1.5
    assert openssl("x509", "-in", file) == openssl("x509", "-in", g.ca.certificate)
    assert c.logs("the peer's CA certificate (a test's authority) is now in")
    assert file.stat().st_mode & 0o777 == 0o644 and not list(g.dir.glob("bootstrapped.pem.*"))
    # From now on it is the CA, for later processes too.
    false = g.tls_server(other.issue("false"), None, f"--peer-ca-cert={other.certificate}", name="false")
    says(g.client("nb", false, *mine, f"--bootstrap-ca-cert={file}"), "signed by another CA (another authority)")
    works(g.client("nb", server, *mine, f"--bootstrap-ca-cert={file}"))
    # A CA that did not sign the server, a folder that is not there.
    liar = g.tls_server(g.ca.issue("liar"), None, f"--peer-ca-cert={other.certificate}", name="liar")
    says(g.client("nb", liar, *mine, f"--bootstrap-ca-cert={g.dir}/x.pem"), "not valid under the CA certificate that it sends")
    says(g.client("nb", server, *mine, "--bootstrap-ca-cert=/no/such/x.pem"), "/no/such/x.pem: cannot be written")
    assert not (g.dir / "x.pem").exists()
    # A server's own self-signed certificate.
    alone = self_signed(g.dir, "alone", "alone")
    server = g.tls_server(alone, None, f"--peer-ca-cert={alone.certificate}", name="alone")
    works(g.client("nb", server, *mine, f"--bootstrap-ca-cert={g.dir}/alone2.pem"))


# ---- servers and networks that misbehave ----

def pump(a, b, change):
    try:
        while data := a.recv(65536):
            change(data, b)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def through(g, server, to_client):
    """A proxy before SERVER: TO_CLIENT(data, socket) passes on what the server says."""
    def talk(c):
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            threading.Thread(target=pump, args=(c, s, lambda d, b: b.sendall(d)), daemon=True).start()
            pump(s, c, to_client)
    return Listener(g, talk)


def test_slow_handshake(g):
    def drip(data, b):
        for i in range(0, len(data), 7):
            b.sendall(data[i:i + 7])
            time.sleep(0.0005)

    works(g.tls_client(through(g, g.tls_server(), drip).remote()))


def test_half_open(g):
    """A server that accepts and is silent is given up, and the next is tried."""
    server = g.tls_server()
    silent = Listener(g, lambda c: time.sleep(60))
    halfway = Listener(g, lambda c: c.sendall(b"\x16\x03\x03\x40\x00\x02\x00") or time.sleep(60))
    a = g.tls_client(f"{silent.remote()},{server.remote()}", None, None, "no-shuffle")
    b = g.tls_client(f"{halfway.remote()},{server.remote()}", None, None, "no-shuffle")
    for c in (a, b):
        c.until(connected=1, seconds=15)
        assert c.logs("timed out")


def test_garbage(g):
    server = g.tls_server()
    bad = (b"\x00" * 1000, os.urandom(5000), b"\x16\x03\x03\xff\xff" + b"x" * 70000, b"\x15\x03\x03\x00\x02\x02\x28",
           b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00", b"\x17\x03\x03\x00\x10" + b"y" * 16, b"\x15\x03\x03\x00\x02\x02\x00", b"")
    listeners = [Listener(g, lambda c, b=b: c.recv(9999) and (c.sendall(b) or time.sleep(0.05))) for b in bad]
    clients = [g.tls_client(x.remote()) for x in listeners]
    for c, x in zip(clients, listeners):
        status = c.until(connected=0, error="ssl:")
        assert c.process.poll() is None, status
    time.sleep(0.5)
    for c, x in zip(clients, listeners):
        assert x.connections <= 3, x.connections           # They pause before another try.
        c.ask(f"remotes {server.remote()}")
        works(c)


def test_damaged_on_the_way(g):
    """A record that does not verify ends the connection; the next works."""
    server, hits = g.tls_server(), []

    def damage(data, b):
        if armed and len(data) > 40:
            armed.clear()
            hits.append(1)
            data = data[:20] + bytes([data[20] ^ 1]) + data[21:]
        b.sendall(data)

    armed = []
    c = g.tls_client(through(g, server, damage).remote())
    works(c)
    armed.append(1)
    server.rpc().insert(NB, "Logical_Switch", name="news")
    wait_until("damage", lambda: hits)
    wait_until("a word", lambda: c.logged("bad record mac"))
    c.until(connected=1)
    wait_until("the row", lambda: c.count("Logical_Switch") == 1)


if __name__ == "__main__":
    run.main(globals(), Tls)
