"""The same commands to our tools and to Debian's (23.03, unpacked by `make check-peer` into .peer/): the same output, byte for byte but
for UUIDs and the order of rows that the peer takes from its hash tables, and the same exit status. And each on the other's databases."""
import re
import shlex

import pytest
from conftest import BUILD, PEER, UUID, Server, Tool, empty
from test_transcripts import HERE, read

pytestmark = pytest.mark.skipif(not (PEER / "usr/bin/ovn-nbctl").exists(), reason="Debian's OVN is not unpacked (make check-peer)")

# A line a run. "~": only the exit status is compared (the wording is ours). "^": rows or references come in the order of their
# random UUIDs, or of the peer's hash table: the lines are compared as a set, and UUIDs are all alike.
NB = r"""
init
show
ls-list
ls-add s0
ls-add s0
--may-exist ls-add s0
-- --may-exist --add-duplicate ls-add s0
-- --add-duplicate ls-add s0
ls-del s0
ls-list
-- --all destroy logical_switch
ls-del nosuch
-- --if-exists ls-del nosuch
ls-add
-- --may-exist ls-add
-- --all destroy logical_switch
ls-add s1 -- lsp-add s1 p1
lsp-add s1 p1
-- --may-exist lsp-add s1 p1
ls-add s2
-- --may-exist lsp-add s2 p1
lsp-add s2 p1
lsp-add nosw p
lsp-add s1 c1 p1
lsp-add s1 c1 p1 4096
lsp-add s1 c1 p1 x
lsp-add s1 c1 nop 5
lsp-add s1 c1 p1 5
-- --may-exist lsp-add s1 c1 p1 6
-- --may-exist lsp-add s1 c1 nop 5
-- --may-exist lsp-add s1 c1 nop 6
-- --may-exist lsp-add s1 c1
-- --may-exist lsp-add s1 p1 c1 5
lsp-list s1
lsp-list nosw
lsp-get-parent c1
lsp-get-parent p1
lsp-get-tag c1
lsp-get-ls c1
lsp-get-ls nop
lsp-set-addresses p1 garbage
lsp-set-addresses p1 "00:00:00:00:00:01 10.0.0.1"
lsp-set-addresses c1 "00:00:00:00:00:02 10.0.0.1"
lsp-set-addresses c1 "00:00:00:00:00:02 10.0.0.2 fd00::1" unknown
lsp-set-addresses p1 "00:00:00:00:00:01 fd00:0::1"
lsp-get-addresses c1
lsp-set-addresses c1 dynamic
lsp-set-addresses c1 "dynamic 10.0.0.4"
lsp-set-addresses c1 "00:00:00:00:00:04 dynamic"
lsp-set-addresses c1 "dynamic garbage"
lsp-set-addresses c1 ""
lsp-set-addresses c1
lsp-get-addresses c1
lsp-set-addresses nop
lsp-get-addresses nop
lsp-set-addresses p1 "00:00:00:00:00:0a 10.0.0.9" -- lsp-set-addresses c1 "00:00:00:00:00:0b 10.0.0.9"
lsp-set-port-security p1 "00:00:00:00:00:01 10.0.0.1" "00:00:00:00:00:00"
lsp-get-port-security p1
lsp-set-port-security p1
lsp-get-port-security p1
lsp-get-up p1
lsp-get-up nop
lsp-get-up p1 -- set logical_switch_port p1 up=true -- lsp-get-up p1
lsp-get-enabled p1
lsp-set-enabled p1 foo
lsp-set-enabled p1 disabled
lsp-get-enabled p1
lsp-set-enabled p1 enabled
lsp-get-enabled p1
lsp-get-type p1
lsp-set-type p1 foo
lsp-set-type p1 localnet
lsp-get-type p1
lsp-set-type p1 ""
lsp-get-type p1
lsp-set-options p1 z=1 a=b c=d
lsp-get-options p1
lsp-set-options p1
lsp-get-options p1
^show s1
show nosw
lsp-del nop
-- --if-exists lsp-del nop
lsp-del c1
lsp-list s1
~foo
~ls-ad x
~ls-add a b
~lsp-add a
-- --may-exst ls-add x
~--may-exst ls-add x

--
-- --
ls-add a --
ls-add q -- ls-add q
ls-list
-x
--db
-t
--wait=foo sync
--timeout=x sync
--format=foo list nb_g
--data=foo list nb_g
-- --columns list logical_switch
-- --if-exists=3 ls-del foo
-- --if-exists --if-exists ls-del foo
--db=unix:/nonexistent show
--db=tcp:127.0.0.1:1 show
set-connection ptcp:6641:127.0.0.1
get-connection
set-connection ptcp:6641 pssl:6642
get-connection
-- --inactivity-probe=5000 set-connection ptcp:6644:127.0.0.1
list connection
del-connection
get-connection
-- --all destroy logical_switch
ls-add s1 -- lsp-add s1 p1 -- lsp-add s1 p2 -- lsp-set-addresses p1 "00:00:00:00:00:01 10.0.0.1" -- lsp-set-addresses p2 "00:00:00:00:00:02 10.0.0.2" unknown
set logical_switch_port p1 options:a=b 'options:"x y"="q\"r"' external_ids:foo=true tag=5 -- lsp-set-type p2 localnet -- set logical_switch s1 other_config:subnet=10.0.0.0/8 'external_ids:"neutron:network_name"=blue' -- set logical_switch_port p1 'external_ids:"neutron:port_name"="p blue"'
^show s1
list Logical_Switch_Port p1
list logical-switch-port p1 p2
~list lo
~list logi_switch_p
list xx
list logical_switch_port nop
-- --if-exists list logical_switch_port nop
list nb_global
-f table list nb_global
get nb_global . nb_cfg
get nb . nb_cfg connections
get nb_global foo nb_cfg
-- --columns=foo list logical_switch
-- --columns= list logical_switch
-- --columns=n list logical_switch
-- --columns=name,foo list logical_switch
-- --columns=_uuid,name list logical_switch
-- --columns=name,name list logical_switch
^--oneline list logical_switch -- get logical_switch s1 name -- ls-list -- lsp-add s1 z -- lsp-get-addresses p2
-f csv --columns=name list logical_switch -- list nb_global
-f table -- --columns=name list logical_switch -- --columns=name list nb_global
get logical_switch_port p1 options:a
get logical_switch_port p1 options:zz
-- --if-exists get logical_switch_port p1 options:zz
-- --if-exists get logical_switch_port nop options:zz
get logical_switch_port p1 name tag options _uuid addresses
get logical_switch_port p1 name:foo
get logical_switch_port p1
-- --id=@x get logical_switch_port p1
-- --id=@x --if-exists get logical_switch_port p1
get logical_switch_port p1 opt:a
get logical_switch_port p1 'options:"x y"'
get logical_switch_port p1 o
-- --columns=name find logical_switch_port name=p1
-- --columns=name find logical_switch_port name!=p1 name!=z
-- --columns=name find logical_switch_port options:a=b
-- --columns=name find logical_switch_port options:a!=b
-- --columns=name find logical_switch_port options:a!=c
-- --columns=name find logical_switch_port name!=z 'options:a{!=}b'
-- --columns=name find logical_switch_port 'tag>4'
-- --columns=name find logical_switch_port 'tag>=5' 'tag<=5'
-- --columns=name find logical_switch_port 'tag<5' name=p1
-- --columns=name find logical_switch_port 'tag{>=}5'
-- --columns=name find logical_switch_port 'addresses{>=}unknown'
-- --columns=name find logical_switch_port 'addresses{<=}unknown' name=z
-- --columns=name find logical_switch_port 'addresses{<}unknown' name=z
-- --columns=name find logical_switch_port 'addresses{not-in}unknown' name=p1
-- --columns=name find logical_switch_port 'addresses{in}unknown' name=p2
-- --columns=name find logical_switch_port 'addresses=unknown'
-- --columns=name find logical_switch_port 'addresses>unknown'
find logical_switch_port tag
find logical_switch_port tag:x=4
~find logical_switch_port tag~4
find logical_switch_port foo=4
find logical_switch_port name=
find logical_switch_port name=a,b
find logical_switch_port up=xx
find logical_switch_port tag=abc
-- --columns=name find logical_switch_port name=p1 tag=5 options:a=c
set logical_switch_port p1 tag=6
get logical_switch_port p1 tag
set logical_switch_port p1 tag=5000
set logical_switch_port p1 tag=0
set logical_switch_port p1 tag=1,2
set logical_switch_port p1 tag=[]
set logical_switch_port p1 tag=
set logical_switch_port p1 tag=[7]
set logical_switch_port p1 tag=x
set logical_switch_port p1 name=
set logical_switch_port p1 "name=a b"
set logical_switch_port p1 options=a=1,b=2
get logical_switch_port p1 options
set logical_switch_port p1 'options={a=1 b="2 3"}'
get logical_switch_port p1 options
set logical_switch_port p1 options:c=9 options:a=3
get logical_switch_port p1 options
set logical_switch_port p1 options=a=1,a=2
~set logical_switch_port p1 options=a
set logical_switch_port p1 options:c
set logical_switch_port p1 options
set logical_switch_port p1 name:x=y
set logical_switch_port p1 enabled=maybe
set logical_switch_port p1 enabled=yes
set logical_switch_port p1 foo=1
set logical_switch_port nop foo=1
set logical_switch_port nop tag=1
-- --if-exists set logical_switch_port nop tag=1
set logical_switch_port p1 _uuid=1
set logical_switch_port p1 'addresses=["a b", c, d]'
get logical_switch_port p1 addresses
set logical_switch_port p1 'addresses=a b'
get logical_switch_port p1 addresses
set logical_switch_port p1 'addresses="a'
set logical_switch_port p1 'addresses=[a'
set logical_switch_port p1 addresses=a,a
set logical_switch_port p1 addresses=a+1
~set logical_switch_port p1 addresses=a:b
get logical_switch_port p1 addresses
add logical_switch_port p1 addresses q
get logical_switch_port p1 addresses
add logical_switch_port p1 addresses q
add logical_switch_port p1 options zz=1
add logical_switch_port p1 options a=7
~add logical_switch_port p1 options k
~add logical_switch_port p1 name k
~add logical_switch_port p1 tag 5
~add logical_switch_port p1 addresses
add logical_switch_port p1 addresses a b,c
get logical_switch_port p1 addresses
remove logical_switch_port p1 addresses q
remove logical_switch_port p1 addresses nope
remove logical_switch_port p1 options a
remove logical_switch_port p1 options zz=2
remove logical_switch_port p1 options 'b="2 3"'
get logical_switch_port p1 options
remove logical_switch_port p1 name p1
remove logical_switch_port p1 tag 7
get logical_switch_port p1 tag
remove logical_switch_port nop tag 7
-- --if-exists remove logical_switch_port nop tag 7
set logical_switch s1 external_ids:k=a,b external_ids:s='a b' external_ids:c=a:b 'external_ids:q=a"b"' external_ids:e={}
get logical_switch s1 external_ids
set logical_switch s1 'external_ids:k="a"b'
set logical_switch s1 external_ids:a:b=c
~set logical_switch s1 external_ids:=x
set logical_switch s1 'external_ids:""=x'
set logical_switch s1 external_ids:k=
set logical_switch s1 'other_config=,a=b'
set logical_switch s1 'other_config=a=b,,c=d,'
-- --columns=name find logical_switch external_ids:k=a,b
-- --columns=name find logical_switch 'external_ids:c{in}a:b'
-- --columns=name find logical_switch name=s1 'external_ids:k{in}a,b'
-- --columns=name find logical_switch 'external_ids:k{=}"a,b"'
-- --columns=name find logical_switch 'external_ids:c<b'
-- --columns=name find logical_switch name=s1 'external_ids:k{in}["a,b",c]'
-- --columns=name find logical_switch 'external_ids{>=}k="a,b"'
-- --columns=name find logical_switch 'external_ids:c="a:b"'
get logical_switch s1 'external_ids:k x'
get logical_switch s1 'name '
get logical_switch s1 external_ids:k=b
get logical_switch s1 external_ids:
clear logical_switch_port p1 options tag
clear logical_switch_port p1 name
clear logical_switch_port nop tag
clear logical_switch_port p1 _uuid
create logical_switch name=cs
create logical_switch name=cs foo=1
~create logical_switch
create logical_switch_port name=xx
-- --id=@p create logical_switch_port name=xx -- add logical_switch s1 ports @p
-- --id=@p create logical_switch_port name=yy -- --id=@s create logical_switch name=ss ports=@p
-- --id=@p create logical_switch_port name=yz
add logical_switch s1 ports @u
-- --id=8f9ac8dc-0a52-4ed9-8a37-e8e0ce2a0e5f create logical_switch name=uu
~-- --id=8f9ac8dc-0a52-4ed9-8a37-e8e0ce2a0e5f create logical_switch name=uu
-- --id=p create logical_switch name=uu
-- --id=@p create logical_switch name=u1 -- --id=@p create logical_switch name=u2
-- --id=@p create Port_Group name=pg ports=@q -- --id=@q create logical_switch_port name=lateport -- add logical_switch s1 ports @q
~create Port_Group name=pg
create logical_switch name=zz -- get logical_switch zz name
lsp-list s1
list logical_switch 8f9
list logical_switch 8f9a
list logical_switch 8f9ac8dc-0a52-4ed9-8a37-e8e0ce2a0e50
destroy logical_switch cs
destroy logical_switch nos
-- --if-exists destroy logical_switch nos
-- --all destroy port_group x
destroy port_group
wait-until logical_switch s1 name=s1
wait-until logical_switch s1
wait-until logical_switch s1 foo
-t 1 wait-until logical_switch s99
comment hello world
comment
list logical_switch_port @x
list acl
create acl priority=99999 direction=foo match=x action=allow
create acl priority=1 direction=foo
create QoS bandwidth:rate=0 priority=1 direction=from-lport match=1
create QoS bandwidth:foo=0 priority=1 direction=from-lport match=1
--dry-run ls-add dry
get logical_switch dry name
lsp-add s1 ''
get logical_switch_port '' name
-- --id=@a create logical_router_port name=lrp0 mac='"00:00:00:00:ff:01"' networks='"10.0.0.1/8","fd00::1/64"' -- --id=@n create nat type=snat external_ip=1.1.1.1 logical_ip=10.0.0.0/8 -- create logical_router name=lr0 ports=@a nat=@n
show lr0
lsp-set-type p2 router -- lsp-set-addresses p2 "00:00:00:00:00:0d 10.0.0.77" -- lsp-set-options p2 router-port=lrp0
^show s1
lsp-set-addresses p2 router unknown
^show s1
lsp-set-type p2 router -- lsp-set-addresses p2 router -- lsp-set-options p2 router-port=lrp0
-- --columns=name,type,options,addresses list logical_switch_port p2
--bare --columns=name,options,addresses list logical_switch_port p2
^show s1
"""

STYLES = [[f"--format={f}", f"--data={d}", *extra, "--columns=name,options,addresses,tag,enabled", "list", "logical_switch_port", "p1", "p2"]
          for f in ("table", "list", "html", "csv", "json") for d in ("string", "bare", "json") for extra in ([], ["--no-headings"], ["--pretty"])]

SB = r"""
init
show
chassis-add ch1 geneve 1.2.3.4
chassis-add ch1 geneve 1.2.3.4
-- --may-exist chassis-add ch1 geneve 1.2.3.4
show
chassis-del nop
--if-exists chassis-del nop
~chassis-add ch3 foo 1.2.3.5
chassis-add ch2 geneve,vxlan 1.2.3.5
get chassis ch2 name
chassis-del ch2
-- --id=@d create datapath_binding tunnel_key=1 'external_ids={name=sw1,logical-switch=31099abe-5a90-420d-a0e3-c4c3463df298}' -- create port_binding logical_port=lp1 datapath=@d tunnel_key=1 mac='"00:00:00:00:00:01 10.0.0.1"' -- --id=@f create logical_flow logical_datapath=@d pipeline=ingress table_id=0 priority=50 match=1 actions='"next;"' external_ids:stage-name=ls_in_check_port_sec -- create logical_flow logical_datapath=@d pipeline=ingress table_id=12 priority=65535 match='"ip4 && tcp"' actions='"drop;"' external_ids:stage-name=ls_in_lb
-- create logical_flow pipeline=egress table_id=3 priority=0 match='"b"' actions='"next;"' external_ids:stage-name=x -- create logical_flow pipeline=egress table_id=3 priority=0 match='"a"' actions='"next;"'
lsp-bind lp1 ch1
lsp-bind lp1 ch1
--may-exist lsp-bind lp1 ch1
lsp-bind nop ch1
lsp-bind lp1 nop
show
lflow-list
dump-flows sw1
lflow-list nosw
lflow-list sw1 zz
count-flows
count-flows sw1
count-flows nosw
lsp-unbind lp1
lsp-unbind lp1
lsp-unbind nop
--if-exists lsp-unbind nop
show
list datapath sw1
get port_binding lp1 mac tunnel_key chassis up
set-connection read-only ptcp:6642 read-write ptcp:6643 role=ovn-controller pssl:1
get-connection
del-connection
get-connection
get sb . nb_cfg
~foo
"""

LOG = re.compile(r"^\d{4}-\d\d-\d\dT[^\n]*\n", re.M)


def normal(result, known, mark):
    """What the run printed and its status, without what the mark says not to compare."""
    def number(m):
        return "UUID" if mark == "^" else known.setdefault(m.group(), f"UUID{len(known)}")
    if mark == "~":
        return result.status
    out, err = UUID.sub(number, result.out), UUID.sub(number, LOG.sub("", result.err))
    return (sorted(out.split("\n")) if mark == "^" else out), err, result.status


def lines(text):
    for line in text.strip("\n").split("\n"):
        mark = line[:1] if line[:1] in ("~", "^") else ""
        yield mark, shlex.split(line[len(mark):])


@pytest.fixture(scope="module")
def peers():
    """The schemas of the peer, twice, for tests that begin with empty()."""
    servers = [Server(PEER / "usr/share/ovn") for _ in range(2)]
    yield servers
    for s in servers:
        s.close()


@pytest.fixture
def pair():
    """The schemas of the peer, twice."""
    servers = [Server(PEER / "usr/share/ovn") for _ in range(2)]
    yield servers
    for s in servers:
        s.close()


def compare(pair, name, commands):
    ours, theirs = Tool(BUILD / "bin" / name, pair[0]), Tool(PEER / "usr/bin" / name, pair[1])
    known, wrong = ({}, {}), []
    for mark, argv in commands:
        a, b = normal(ours(*argv), known[0], mark), normal(theirs(*argv), known[1], mark)
        if a != b:
            wrong.append(f"$ {name} {shlex.join(argv)}\n  ours   {a}\n  theirs {b}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_northbound_commands_answer_as_the_peers(pair):
    compare(pair, "ovn-nbctl", lines(NB))


@pytest.mark.parametrize("path", sorted(p for p in HERE.glob("*.txt") if not p.stem.startswith("newer_")), ids=lambda p: p.stem)
def test_nouns_answer_as_the_peers(peers, path):
    for server in peers:
        empty(Tool(PEER / "usr/bin/ovn-nbctl", server))
    compare(peers, "ovn-nbctl", [(mark, shlex.split(command)) for mark, command, _ in read(path)])


def test_southbound_commands_answer_as_the_peers(pair):
    compare(pair, "ovn-sbctl", lines(SB))


def test_all_formats_are_the_peers(pair):
    setup = [("", shlex.split(line)) for line in NB.strip().split("\n") if line.startswith(("ls-add s1 -- lsp-add s1 p1 -- lsp-add s1 p2",
                                                                                              "set logical_switch_port p1 options:a=b"))]
    assert len(setup) == 2
    compare(pair, "ovn-nbctl", setup + [("", argv) for argv in STYLES])


def test_each_tool_works_on_what_the_other_wrote(server):
    """Both on our schema, which the peer does not know all of."""
    ours, theirs = Tool(BUILD / "bin/ovn-nbctl", server), Tool(PEER / "usr/bin/ovn-nbctl", server)
    theirs.ok("ls-add", "s1", "--", "lsp-add", "s1", "p1")
    ours.ok("lsp-set-addresses", "p1", "0a:00:00:00:00:01 10.0.0.1", "--", "lsp-add", "s1", "p2")
    assert theirs.ok("lsp-get-addresses", "p1") == "0a:00:00:00:00:01 10.0.0.1\n"
    assert sorted(theirs.ok("show").split("\n")) == sorted(ours.ok("show").split("\n"))
    assert theirs.ok("lsp-list", "s1") == ours.ok("lsp-list", "s1")
    theirs.ok("lsp-del", "p2")
    assert "p2" not in ours.ok("show")


def test_ours_names_what_an_older_database_lacks(pair):
    ours = Tool(BUILD / "bin/ovn-nbctl", pair[0])
    ours.ok("ls-add", "s", "--", "lsp-add", "s", "p")
    assert "has no table Sampling_App" in ours.refused("list", "sampling_app")
    assert "has no column peer" in ours.refused("set", "logical_switch_port", "p", "peer=x")
    assert "has no column peer" in ours.refused("lsp-set-type", "p", "switch", "peer=x")
    assert "peer" not in ours.ok("list", "logical_switch_port", "p")
