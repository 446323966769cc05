/* version.c - see version.h. */
#include "logical/version.h"

#include "logical/symbols.h"

/* To be raised when the meaning of a match or an action changes that both sides know. */
enum { REVISION = 1 };

char *
logical_internal_version(const char *schema)
{
    size_t n_symbols;

    symbol_table(&n_symbols);
    return xasprintf("%s-%s-%zu.%d", ovn_version(), schema, n_symbols, REVISION);
}
