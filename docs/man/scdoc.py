"""What our generators of manual pages share: plain text as scdoc(5) wants it written.

A *plain text* (in schema/*.toml, in the tables of commands) has paragraphs separated by blank lines; lines that begin with four
spaces are an example, shown as they are. Everything else is one paragraph however it is broken into lines.
"""
import re

_SPECIAL = re.compile(r"([\\_*`~^<>])")
_WORD = re.compile(r"(?<![A-Za-z0-9_-])[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*(?![A-Za-z0-9_-])")


def escape(text):
    """TEXT, one line, as it is."""
    text = _SPECIAL.sub(r"\\\1", text)
    return "\\" + text if text[:1] in "#-.[]|;'" and text else text


def bold(text):
    return f"*{escape(text)}*"


def placeholders(text, only=None):
    """TEXT with the words that stand for something, such as SWITCH, underlined (if they are in ONLY)."""
    out, at = [], 0
    for m in _WORD.finditer(text):
        if only is None or m.group() in only:
            out += [_SPECIAL.sub(r"\\\1", text[at:m.start()]), f"_{m.group()}_"]
            at = m.end()
    return "".join(out) + _SPECIAL.sub(r"\\\1", text[at:])


def words(text):
    return set(_WORD.findall(text))


def paragraphs(text, indent=0, inline=escape):
    """The plain text TEXT, INDENT levels in; INLINE makes scdoc of a paragraph on one line."""
    tabs, out, paragraph, example = "\t" * indent, [], [], []

    def flush():
        if paragraph:
            out.extend([tabs + inline(" ".join(paragraph)), ""])
            paragraph.clear()
        if example:
            out.extend([tabs + "```", *(tabs + line for line in example), tabs + "```", ""])
            example.clear()

    for line in text.strip("\n").split("\n"):
        if line.startswith("    "):
            if paragraph:
                flush()
            example.append(line[4:])
        elif not line.strip():
            flush()
        else:
            if example:
                flush()
            paragraph.append(line.strip())
    flush()
    return "\n".join(out) + "\n"
