/* scan.c - see scan.h. */
#include "cli/detrace/scan.h"

#include <ctype.h>
#include <stdlib.h>

enum { TRACE_INDENT = 4, OFPP_LOCAL_NUMBER = 65534 };

struct line {
    const char *s;
    size_t n;                          /* Without the newline. */
};

void
scan_destroy(struct scanner *s)
{
    str_free(&s->text);
    str_free(&s->rest);
    free(s->marks);
    free(s->pending);
}

void
scan_clear(struct scanner *s)
{
    str_clear(&s->text);
    s->n_marks = 0;
}

/* ---- marks ---- */

static bool
same_mark(const struct scan_mark *a, const struct scan_mark *b)
{
    return a->kind == b->kind && a->number == b->number && str_eq(a->name, b->name) && str_eq(a->bridge, b->bridge);
}

static void
add_pending(struct scanner *s, const struct scan_mark *m)
{
    for (size_t i = 0; i < s->n_pending; i++) {
        if (same_mark(&s->pending[i], m)) {
            return;
        }
    }
    if (s->n_pending < SCAN_MAX_PENDING) {
        GROW(s->pending, s->cap_pending, s->n_pending + 1);
        s->pending[s->n_pending++] = *m;
    }
}

/* The block ends here: cookies, then ports, as they came. */
static void
flush(struct scanner *s)
{
    for (int ports = 0; ports < 2; ports++) {
        for (size_t i = 0; i < s->n_pending; i++) {
            if ((s->pending[i].kind != SCAN_COOKIE) == ports) {
                GROW(s->marks, s->cap_marks, s->n_marks + 1);
                s->marks[s->n_marks] = s->pending[i];
                s->marks[s->n_marks++].at = s->text.len;
            }
        }
    }
    s->n_pending = 0;
    s->content_indent = 0;
}

/* ---- words ---- */

static bool
is_word_char(char ch)
{
    return isalnum((unsigned char) ch) || ch == '_' || ch == '-' || ch == '.';
}

/* Where WORD stands in LINE from offset AT on, not as the end of a longer word: what follows it. SIZE_MAX: nowhere. */
static size_t
find_word(const struct line *line, size_t at, const char *word)
{
    size_t n = strlen(word);

    while (at + n <= line->n) {
        const char *p = memmem(line->s + at, line->n - at, word, n);
        if (!p) {
            break;
        }
        at = p - line->s + n;
        if (p == line->s || (!isalnum((unsigned char) p[-1]) && p[-1] != '_')) {
            return at;
        }
    }
    return SIZE_MAX;
}

/* A number without sign at offset *at; false if there is none, or it is more than MAX. */
static bool
take_number(const struct line *line, size_t *at, int base, uint64_t max, uint64_t *value)
{
    size_t start = *at;
    bool fits = true;

    *value = 0;
    for (; *at < line->n && (base == 16 ? isxdigit((unsigned char) line->s[*at]) : isdigit((unsigned char) line->s[*at])); (*at)++) {
        int ch = tolower((unsigned char) line->s[*at]);
        fits = fits && *value <= max / base;
        *value = fits ? *value * base + (isdigit(ch) ? ch - '0' : ch - 'a' + 10) : 0;
    }
    return *at > start && fits && *value <= max && (*at == line->n || !is_word_char(line->s[*at]));
}

/* "cookie 0x7c5c1f6c", "cookie=0x7c5c1f6c": those of 32 bits; others are nobody's. True if there is one of the second form. */
static bool
take_cookies(struct scanner *s, const struct line *line)
{
    bool dumped = false;
    uint64_t value;

    for (size_t at = 0; (at = find_word(line, at, "cookie")) != SIZE_MAX;) {
        if (at + 3 > line->n || (line->s[at] != '=' && line->s[at] != ' ') || line->s[at + 1] != '0' || line->s[at + 2] != 'x') {
            continue;
        }
        dumped |= line->s[at] == '=';
        at += 3;
        if (take_number(line, &at, 16, UINT32_MAX, &value) && value) {
            add_pending(s, &(struct scan_mark) { .kind = SCAN_COOKIE, .number = value });
        }
    }
    return dumped;
}

/* A name at offset AT, in quotes or plain. */
static bool
take_name(const struct line *line, size_t at, char name[SCAN_MAX_NAME + 1])
{
    bool quoted = at < line->n && line->s[at] == '"';
    size_t n = 0;

    for (at += quoted; at < line->n && (quoted ? line->s[at] != '"' : is_word_char(line->s[at])); at++) {
        if (n == SCAN_MAX_NAME || !line->s[at]) {
            return false;
        }
        name[n++] = line->s[at];
    }
    name[n] = '\0';
    return n && (!quoted || at < line->n);
}

static void
take_ports(struct scanner *s, const struct line *line, const char *word)
{
    for (size_t at = 0; (at = find_word(line, at, word)) != SIZE_MAX;) {
        struct scan_mark m = { .kind = SCAN_PORT_NUMBER };
        uint64_t value;
        size_t end = at;
        if (take_number(line, &end, 10, UINT32_MAX, &value)) {
            m.number = value;
        } else if (!take_name(line, at, m.name)) {
            continue;
        } else if (str_eq(m.name, "LOCAL")) {
            m.number = OFPP_LOCAL_NUMBER;
            m.name[0] = '\0';
        } else {
            m.kind = SCAN_PORT_NAME;
        }
        if (s->n_bridges) {
            memcpy(m.bridge, s->bridges[s->n_bridges - 1].name, sizeof m.bridge);
        }
        add_pending(s, &m);
    }
}

/* ---- lines ---- */

/* bridge("NAME"): what follows, as far in or further, is there. */
static bool
take_bridge(struct scanner *s, const struct line *line, size_t indent)
{
    static const char word[] = "bridge(";
    struct scan_bridge b = { .indent = indent };

    if (line->n - indent < strlen(word) || memcmp(line->s + indent, word, strlen(word)) || !take_name(line, indent + strlen(word), b.name)) {
        return false;
    }
    while (s->n_bridges && s->bridges[s->n_bridges - 1].indent >= indent) {
        s->n_bridges--;
    }
    if (s->n_bridges < ARRAY_SIZE(s->bridges)) {
        s->bridges[s->n_bridges++] = b;
    }
    return true;
}

/* " 8. ": the number of a table. */
static bool
begins_table(const struct line *line, size_t indent)
{
    size_t n = 0;

    while (n < 3 && indent + n < line->n && isdigit((unsigned char) line->s[indent + n])) {
        n++;
    }
    return n && indent + n + 1 < line->n && line->s[indent + n] == '.' && line->s[indent + n + 1] == ' ';
}

/* A whole line; with ENDS its newline is in the text. */
static void
take_line(struct scanner *s, struct line line, bool ends)
{
    size_t indent = 0;

    while (indent < line.n && (line.s[indent] == ' ' || line.s[indent] == '\t')) {
        indent++;
    }
    bool table = begins_table(&line, indent), blank = indent == line.n || (indent + 1 == line.n && line.s[indent] == '\r');
    if (table || blank || (s->content_indent && indent < s->content_indent) || take_bridge(s, &line, indent)) {
        flush(s);
    }
    while (table && s->n_bridges && s->bridges[s->n_bridges - 1].indent > indent) {
        s->n_bridges--;
    }
    size_t n_before = s->n_pending;
    bool dumped = take_cookies(s, &line);
    if (dumped && n_before) {          /* What it has is its own. */
        s->n_pending = n_before;
        flush(s);
        take_cookies(s, &line);
    }
    s->n_bridges = dumped ? 0 : s->n_bridges;          /* A dump does not say whose flows they are. */
    if (s->ports && (table || dumped)) {
        take_ports(s, &line, "in_port=");
    }
    if (s->ports) {
        take_ports(s, &line, "output:");
    }
    str_put(&s->text, line.s, line.n + ends);
    if (table) {
        s->content_indent = (indent / TRACE_INDENT + 1) * TRACE_INDENT;
    } else if (!s->content_indent && ends) {
        flush(s);
    }
}

void
scan_feed(struct scanner *s, const void *data, size_t n)
{
    const char *p = data, *end = p + n;

    while (p < end) {
        const char *newline = memchr(p, '\n', end - p);
        size_t here = (newline ? newline + 1 : end) - p;
        if (s->in_long_line) {
            str_put(&s->text, p, here);
            s->in_long_line = !newline;
            if (newline && !s->content_indent) {
                flush(s);
            }
        } else if (newline && !s->rest.len && here <= SCAN_MAX_LINE) {
            take_line(s, (struct line) { p, here - 1 }, true);
        } else {
            here = MIN(here, SCAN_MAX_LINE - s->rest.len);
            str_put(&s->rest, p, here);
            bool whole = s->rest.s[s->rest.len - 1] == '\n';
            if (whole || s->rest.len == SCAN_MAX_LINE) {
                take_line(s, (struct line) { s->rest.s, s->rest.len - whole }, whole);
                str_clear(&s->rest);
                s->in_long_line = !whole;
            }
        }
        p += here;
    }
}

void
scan_end(struct scanner *s)
{
    if (s->rest.len) {
        take_line(s, (struct line) { s->rest.s, s->rest.len }, false);
        str_clear(&s->rest);
    }
    flush(s);
}
