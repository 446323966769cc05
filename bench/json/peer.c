/* peer.c - reads a text with jansson, if it was there at build time. */
#include "peer.h"

#ifdef HAVE_JANSSON
#include <jansson.h>

#include "base/clock.h"

const bool peer_exists = true;

int64_t
peer_read(const struct str *text)
{
    int64_t start = clock_cpu_usec();
    json_error_t error;
    json_t *json = json_loadb(text->s, text->len, 0, &error);
    if (!json) {
        panic("jansson: %s", error.text);
    }
    int64_t took = clock_cpu_usec() - start;
    json_decref(json);
    return took;
}
#else
const bool peer_exists = false;

int64_t
peer_read(const struct str *text)
{
    panic("no jansson to read %zu bytes", text->len);
}
#endif
