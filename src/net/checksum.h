/* checksum.h - the Internet checksum (RFC 1071). */
#ifndef NET_CHECKSUM_H
#define NET_CHECKSUM_H 1

#include "base/util.h"

/* SUM (0 at first) plus N bytes as 16-bit numbers; all parts but the last must be of even length. N < 64 KiB, few parts. */
uint32_t checksum_add(uint32_t sum, const void *, size_t n);
/* What goes into the checksum field; 0 over data that already has the right checksum in it. */
uint16_t checksum_finish(uint32_t sum);

#endif
