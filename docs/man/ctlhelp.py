"""ovn-ctl --help, which prints its tables of commands and options, as scdoc.

Options that several daemons or databases have alike (--db-nb-port, --db-sb-port, ...) become one entry.
"""
import re

import scdoc

_HEADING = re.compile(r"^(\w.*):$")
_KEY = re.compile(r"(?<=-)(ic-nb|ic-sb|nb|sb)(?=-)")


def _sections(text):
    """{heading: [lines]}"""
    found, lines = {}, None
    for line in text.splitlines():
        m = _HEADING.match(line)
        if m:
            lines = found.setdefault(m.group(1), [])
        elif lines is not None:
            lines.append(line)
    return found


def _sentence(text):
    word = re.match(r"[a-z]+(?=[\s.;,]|$)", text)
    return scdoc.escape((text[0].upper() if word else text[:1]) + text[1:]) + "."


def commands(text):
    out = []
    for line in _sections(text)["Commands"]:
        m = re.match(r"  (\S+)\s+(.*)", line)
        if m:
            out += [scdoc.bold(m.group(1)), "\t" + _sentence(m.group(2)), ""]
    return out


def _kind(heading):
    """What the sections that are merged have in common, and the rest of the heading."""
    if re.match(r"Options of the OVN .* DB$", heading):
        return "Options of a database"
    return "Options of a daemon" if re.match(r"Options of ovn-[a-z-]+$", heading) else heading


def _generic(heading, kind, name, meaning):
    if kind == "Options of a database":
        return _KEY.sub("KEY", name), _KEY.sub("KEY", meaning)
    if kind == "Options of a daemon":
        daemon = heading.removeprefix("Options of ")
        return name.replace(daemon, "DAEMON"), meaning.replace(daemon, "the daemon")
    return name, meaning


def options(text):
    """Entries of the sections with options, a subsection a kind."""
    kinds = {}
    for heading, lines in _sections(text).items():
        for first, second in zip(lines, lines[1:]):
            m = re.match(r"  --([a-z-]+)=(.*)", first)
            if m:
                kind = _kind(heading)
                name, meaning = _generic(heading, kind, m.group(1), second.strip())
                names, defaults, _ = kinds.setdefault(kind, {}).setdefault((name, meaning), ([], [], meaning))
                names.append(m.group(1))
                default = re.sub(r"^/\S*(?=/[^/]+\.ovsschema$)", "/usr/share/ovn", m.group(2))
                if default != "..." and default not in defaults:
                    defaults.append(default)
    out = []
    for kind, entries in kinds.items():
        out += [f"## {kind}", ""]
        for names, defaults, meaning in entries.values():
            out += [", ".join(f"*--{n}*" for n in names) + "=_VALUE_",
                    "\t" + _sentence(meaning.replace("-KEY-", "-nb-")) +
                    (" Default: " + ", ".join(f"_{scdoc.escape(d)}_" for d in defaults) + "." if defaults else ""), ""]
    return out
