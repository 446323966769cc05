/* log.h - logging, in the documented line format `time|seq|module|LEVEL|message`.
 *
 *     LOG_MODULE(northd_lock);
 *     ...
 *     LOG_INFO("lock acquired");
 *
 * Destinations (console, file, syslog), levels and patterns are set by the -v family of options and
 * by vlog/set over the control socket (runtime/). WARN and ERR mean that a person should look. */
#ifndef BASE_LOG_H
#define BASE_LOG_H 1

#include <stdarg.h>
#include "base/util.h"

enum log_level { LOG_OFF, LOG_EMER_, LOG_ERR_, LOG_WARN_, LOG_INFO_, LOG_DBG_, LOG_N_LEVELS };
enum log_dest { LOG_CONSOLE, LOG_SYSLOG, LOG_FILE, LOG_N_DESTS };

struct log_module {
    const char *name;
    struct log_module *next;
    enum log_level levels[LOG_N_DESTS];
    enum log_level max;        /* The largest of LEVELS: what is worth formatting. */
    bool honor_rate_limits;
};

/* Messages a minute, with a burst; what was dropped is counted in the next message. */
struct log_ratelimit {
    uint32_t per_minute, burst;
    uint32_t tokens;
    uint32_t n_dropped;
    int64_t last_fill, first_dropped, last_dropped;
};
#define LOG_RATELIMIT(PER_MINUTE, BURST) { .per_minute = (PER_MINUTE), .burst = (BURST) }

/* Declares this file's module; the name is what users see in the log and give to -v. */
#define LOG_MODULE(NAME) \
    static struct log_module this_module = { .name = #NAME, .max = LOG_INFO_, .honor_rate_limits = true, \
        .levels = { LOG_INFO_, LOG_INFO_, LOG_INFO_ } }; \
    static __attribute__((constructor)) void this_module_register(void) \
    { \
        log_register(&this_module); \
    }

void log_register(struct log_module *);
void log_write(struct log_module *, enum log_level, struct log_ratelimit *, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

#define LOG_AT_(LEVEL, RL, ...) \
    do { \
        if (__builtin_expect(this_module.max >= (LEVEL), (LEVEL) != LOG_DBG_)) { \
            log_write(&this_module, (LEVEL), (RL), __VA_ARGS__); \
        } \
    } while (0)
#define LOG_ERR(...) LOG_AT_(LOG_ERR_, NULL, __VA_ARGS__)
#define LOG_WARN(...) LOG_AT_(LOG_WARN_, NULL, __VA_ARGS__)
#define LOG_INFO(...) LOG_AT_(LOG_INFO_, NULL, __VA_ARGS__)
#define LOG_DBG(...) LOG_AT_(LOG_DBG_, NULL, __VA_ARGS__)
/* The same with a rate limit of this very call, 5 a minute with a burst of 5 (the field's habit). */
#define LOG_RL_(LEVEL, ...) \
    do { \
        static struct log_ratelimit rl_ = LOG_RATELIMIT(5, 5); \
        LOG_AT_(LEVEL, &rl_, __VA_ARGS__); \
    } while (0)
#define LOG_ERR_RL(...) LOG_RL_(LOG_ERR_, __VA_ARGS__)
#define LOG_WARN_RL(...) LOG_RL_(LOG_WARN_, __VA_ARGS__)
#define LOG_INFO_RL(...) LOG_RL_(LOG_INFO_, __VA_ARGS__)
static inline bool
log_enabled_(const struct log_module *m, enum log_level level)
{
    return m->max >= level;
}
#define LOG_DBG_ENABLED() log_enabled_(&this_module, LOG_DBG_)

/* Configuration (used by runtime/'s options and control commands). Messages are NULL on success,
 * else owned by the caller. */
char *log_set(const char *spec) MUST_USE;              /* As -v's argument; empty: dbg everywhere. */
char *log_open_file(const char *path) MUST_USE;        /* NULL path: LOGDIR/PROG.log */
char *log_reopen(void) MUST_USE;
void log_close(void);
char *log_set_syslog(const char *target_or_method) MUST_USE;
bool log_set_rate_limits(const char *module_or_any, bool enable);  /* False: no such module. */
bool log_has_module(const char *name);
const char *log_file_name(void);                       /* NULL: none was asked for. */
/* Names this thread or process (e.g. "monitor") in %t and %T; "" for the main one. */
void log_set_subprogram(const char *name);
struct str;
void log_list(struct str *out);                        /* vlog/list's table */
void log_list_pattern(struct str *out);

#endif
