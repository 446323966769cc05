/* peer.h - jansson, in a file of its own because its names are ours too. */
#ifndef BENCH_JSON_PEER_H
#define BENCH_JSON_PEER_H 1

#include "base/str.h"

extern const bool peer_exists;
void peer_read(const struct str *);

#endif
