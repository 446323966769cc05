/* scan.h - the text that goes through ovn-detrace: which lines speak of a flow or a port, and where what is known of it belongs.
 *
 * The text is not changed. The scanner takes it in pieces of any size and hands on whole lines, with marks between them. Two kinds of lines matter.
 *
 *  8. metadata=0x1, priority 50, cookie 0x7c5c1f6c       a table of ofproto/trace: the flow that matched, and below it, further in, what it did;
 *     resubmit(,9)                                       its marks stand behind that: before the next table, a line that is less far in, or an empty one
 *
 *  cookie=0x7c5c1f6c, duration=3s, table=8, ...          a flow of ovs-ofctl dump-flows: its marks stand behind the line
 *
 * Ports are numbers or names: in_port of a flow, and what actions output to; bridge("NAME") says whose they are, until a line that is less far in. Input is untrusted: a line longer
 * than SCAN_MAX_LINE is looked at as far as that, and a block has at most SCAN_MAX_PENDING marks. */
#ifndef CLI_DETRACE_SCAN_H
#define CLI_DETRACE_SCAN_H 1

#include "base/str.h"

enum { SCAN_MAX_LINE = 1 << 20, SCAN_MAX_PENDING = 512, SCAN_MAX_NAME = 63 };

enum scan_kind { SCAN_COOKIE, SCAN_PORT_NUMBER, SCAN_PORT_NAME };
struct scan_mark {
    size_t at;                         /* The offset in the text: the beginning of a line, or the end of the text. */
    enum scan_kind kind;
    uint32_t number;
    char name[SCAN_MAX_NAME + 1], bridge[SCAN_MAX_NAME + 1];   /* Of a port; "": not said. */
};
struct scanner {
    bool ports;                        /* The caller's wish: else only cookies are marked. */
    /* What is ready; scan_clear() when it has been written. */
    struct str text;
    struct scan_mark *marks;
    size_t n_marks, cap_marks;
    /* The scanner's own. */
    struct str rest;                   /* A line that has not ended. */
    bool in_long_line;
    struct scan_mark *pending;         /* Of the block that has not ended. */
    size_t n_pending, cap_pending;
    size_t content_indent;             /* Of the block's actions; 0: no block. */
    struct scan_bridge { size_t indent; char name[SCAN_MAX_NAME + 1]; } bridges[8];    /* The one that a line belongs to, and those around it. */
    size_t n_bridges;
};
#define SCANNER_INIT { .ports = false }

void scan_destroy(struct scanner *);
void scan_feed(struct scanner *, const void *, size_t n);
void scan_end(struct scanner *);       /* Nothing follows. */
void scan_clear(struct scanner *);

#endif
