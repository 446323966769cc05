/* peer.h - jansson, in a file of its own because its names are ours too. */
#ifndef BENCH_JSON_PEER_H
#define BENCH_JSON_PEER_H 1

#include "base/str.h"

extern const bool peer_exists;
/* CPU time in microseconds of json_loadb(), without freeing what it made. */
int64_t peer_read(const struct str *);

#endif
