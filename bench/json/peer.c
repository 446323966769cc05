/* peer.c - reads a text with jansson, if it was there at build time. */
#include "peer.h"

#ifdef HAVE_JANSSON
#include <jansson.h>

const bool peer_exists = true;

void
peer_read(const struct str *text)
{
    json_error_t error;
    json_t *json = json_loadb(text->s, text->len, 0, &error);
    if (!json) {
        panic("jansson: %s", error.text);
    }
    json_decref(json);
}
#else
const bool peer_exists = false;

void
peer_read(const struct str *text)
{
    panic("no jansson to read %zu bytes", text->len);
}
#endif
