/* log.c - logging: modules, levels, patterns and the three destinations.
 *
 * A *module* is a static struct a file (LOG_MODULE), linked into one list by its constructor before
 * main(). It holds a level for each destination; `max` is the largest of those whose destination is
 * alive, so that a message that nobody would see costs one comparison.
 *
 * A *destination* has a pattern, expanded a message at a time into a buffer that is written with one
 * system call: lines of several processes never mix. The console is stderr. The file is opened for
 * appending. Syslog is a datagram (RFC 3164 header) to /dev/log, to another Unix socket, or by UDP;
 * never blocking: a stuck syslog daemon costs messages, not time. `--syslog-target` is one more UDP
 * receiver beside it.
 *
 * Everything below `lock` is guarded by it; modules' levels are read without it (a stale level is
 * harmless). Control characters in messages are escaped, as names in messages come from databases
 * and packets and must not forge log lines.
 *
 * Options, words, patterns and formats: ovs-appctl(8), "Logging Commands"; operating.md. */
#include "base/log.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

LOG_MODULE(vlog);

static const char *const level_names[LOG_N_LEVELS] = { "OFF", "EMER", "ERR", "WARN", "INFO", "DBG" };
static const uint8_t level_severities[LOG_N_LEVELS] = { 7, 1, 3, 4, 6, 7 };     /* RFC 5424. */
static const char *const dest_names[LOG_N_DESTS] = {
    [LOG_CONSOLE] = "console", [LOG_SYSLOG] = "syslog", [LOG_FILE] = "file",
};
/* By RFC 5424's numbers; 10 (a second "auth") is not on offer. */
static const char *const facility_names[] = {
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "clock", "", "ftp",
    "ntp", "audit", "alert", "clock2", "local0", "local1", "local2", "local3", "local4", "local5",
    "local6", "local7",
};
enum { FACILITY_UNSET = -1, FACILITY_DAEMON = 3, FACILITY_LOCAL0 = 16 };

/* Where datagrams go. */
struct receiver {
    union {
        struct sockaddr sa;
        struct sockaddr_un un;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } addr;
    socklen_t len;             /* 0: nowhere. */
    int fd;                    /* -1: not open. */
    int64_t retry_at;          /* After a failure to open: not before. */
    const char *prefix;        /* Pattern of the header. */
    int facility;              /* Unless FACILITY: was given. */
};

#define REMOTE_PREFIX "<%B>%D{%h %e %T} %E %A: "
#define LOCAL_PREFIX "<%B>%d{%h %e %T} %A: "

static struct log_module *modules;     /* Filled by constructors. */
static __thread char subprogram[16];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *patterns[LOG_N_DESTS];    /* NULL: the default. */
static const char *const default_patterns[LOG_N_DESTS] = {
    [LOG_CONSOLE] = "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m",
    [LOG_SYSLOG] = "ovn|%05N|%c%T|%p|%m",
    [LOG_FILE] = "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m",
};
static enum log_level common_levels[LOG_N_DESTS] = { LOG_INFO_, LOG_INFO_, LOG_INFO_ };
static char *file_name;
static int file_fd = -1;
static uint64_t n_messages;
static int facility = FACILITY_UNSET;
static struct receiver local = { .fd = -1, .facility = FACILITY_DAEMON };
static struct receiver remote = { .fd = -1, .facility = FACILITY_LOCAL0 };
static bool local_is_set;      /* Else: OVS_SYSLOG_METHOD at the first use. */
static int64_t start_msec;

static void use_default_syslog_method(void);

/* Started with a standard descriptor closed, we would open something else by its number, and log into
 * it. So none is closed. */
static __attribute__((constructor)) void
open_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
}

/* --- Modules and levels. --- */

static bool
dest_is_alive(enum log_dest dest)
{
    return dest == LOG_CONSOLE
           || (dest == LOG_FILE ? file_fd >= 0 : !local_is_set || local.len || remote.len);
}

static void
update_max(struct log_module *m)
{
    enum log_level max = LOG_OFF;

    for (int d = 0; d < LOG_N_DESTS; d++) {
        if (dest_is_alive(d)) {
            max = MAX(max, m->levels[d]);
        }
    }
    m->max = max;
}

static void
update_all_max(void)
{
    for (struct log_module *m = modules; m; m = m->next) {
        update_max(m);
    }
}

void
log_register(struct log_module *m)
{
    m->next = modules;
    modules = m;
    memcpy(m->levels, common_levels, sizeof m->levels);
    update_max(m);
    if (!start_msec) {
        start_msec = clock_msec();
    }
}

bool
log_has_module(const char *name)
{
    for (const struct log_module *m = modules; m; m = m->next) {
        if (!strcasecmp(m->name, name)) {
            return true;
        }
    }
    return false;
}

void
log_set_subprogram(const char *name)
{
    snprintf(subprogram, sizeof subprogram, "%s", name);
}

static int
find_name(const char *const names[], int n, const char *word)
{
    for (int i = 0; i < n; i++) {
        if (!strcasecmp(names[i], word)) {
            return i;
        }
    }
    return -1;
}

static void
set_levels(const char *module, int dest, enum log_level level)
{
    for (int d = 0; d < LOG_N_DESTS; d++) {
        if (dest >= 0 && d != dest) {
            continue;
        }
        if (!module) {
            common_levels[d] = level;
        }
        for (struct log_module *m = modules; m; m = m->next) {
            if (!module || !strcasecmp(m->name, module)) {
                m->levels[d] = level;
            }
        }
    }
    update_all_max();
}

/* "DEST:PATTERN", what follows "PATTERN:". */
static char *
set_pattern(char *spec)
{
    char *colon = strchr(spec, ':');
    if (!colon) {
        return xstrdup("missing destination");
    }
    *colon = '\0';
    bool any = !strcasecmp(spec, "any");
    int dest = find_name(dest_names, LOG_N_DESTS, spec);
    if (!any && dest < 0) {
        return xasprintf("unknown destination \"%s\"", spec);
    }
    for (int d = 0; d < LOG_N_DESTS; d++) {
        if (any || d == dest) {
            free(patterns[d]);
            patterns[d] = xstrdup(colon + 1);
        }
    }
    return NULL;
}

static char *
set_facility(const char *name)
{
    int f = find_name(facility_names, ARRAY_SIZE(facility_names), name);
    if (f < 0 || !*name) {
        return xstrdup("invalid facility");
    }
    facility = f;
    return NULL;
}

static char *
set_words(char *spec)
{
    char *save = NULL, *module = NULL;
    int dest = -1, level = -1;

    for (char *w = strtok_r(spec, " ,:\t", &save); w; w = strtok_r(NULL, " ,:\t", &save)) {
        int found;
        if (log_has_module(w)) {
            if (module) {
                return xstrdup("cannot specify multiple modules");
            }
            module = w;
        } else if ((found = find_name(dest_names, LOG_N_DESTS, w)) >= 0) {
            if (dest >= 0) {
                return xstrdup("cannot specify multiple destinations");
            }
            dest = found;
        } else if ((found = find_name(level_names, LOG_N_LEVELS, w)) >= 0) {
            if (level >= 0) {
                return xstrdup("cannot specify multiple levels");
            }
            level = found;
        } else if (strcasecmp(w, "any")) {
            return xasprintf("no destination, level, or module \"%s\"", w);
        }
    }
    set_levels(module, dest, level < 0 ? LOG_DBG_ : level);
    return NULL;
}

char *
log_set(const char *spec)
{
    char *copy = xstrdup(spec);
    char *error;

    pthread_mutex_lock(&lock);
    if (!strncasecmp(copy, "PATTERN", 7) && (copy[7] == ':' || !copy[7])) {
        error = set_pattern(copy + 7 + (copy[7] == ':'));
    } else if (!strncasecmp(copy, "FACILITY", 8) && (copy[8] == ':' || !copy[8])) {
        error = set_facility(copy + 8 + (copy[8] == ':'));
    } else {
        error = set_words(copy);
    }
    pthread_mutex_unlock(&lock);
    free(copy);
    return error;
}

bool
log_set_rate_limits(const char *name, bool enable)
{
    bool any = !strcasecmp(name, "any");
    bool found = any;

    for (struct log_module *m = modules; m; m = m->next) {
        if (any || !strcasecmp(m->name, name)) {
            m->honor_rate_limits = enable;
            found = true;
        }
    }
    return found;
}

static int
compare_modules(const void *a_, const void *b_)
{
    const struct log_module *const *a = a_, *const *b = b_;
    return strcmp((*a)->name, (*b)->name);
}

void
log_list(struct str *out)
{
    size_t n = 0;
    for (struct log_module *m = modules; m; m = m->next) {
        n++;
    }
    struct log_module **sorted = xcalloc(n, sizeof *sorted);
    size_t i = 0;
    for (struct log_module *m = modules; m; m = m->next) {
        sorted[i++] = m;
    }
    qsort(sorted, n, sizeof *sorted, compare_modules);

    str_puts(out, "                 console    syslog    file\n"
                  "                 -------    ------    ------\n");
    for (i = 0; i < n; i++) {
        const struct log_module *m = sorted[i];
        if (i && str_eq(m->name, sorted[i - 1]->name)) {
            continue;
        }
        str_printf(out, "%-16s  %4s       %4s       %4s%s\n", m->name,
                   level_names[m->levels[LOG_CONSOLE]], level_names[m->levels[LOG_SYSLOG]],
                   level_names[m->levels[LOG_FILE]],
                   m->honor_rate_limits ? "" : "    (rate limiting disabled)");
    }
    free(sorted);
}

static const char *
pattern_of(enum log_dest dest)
{
    return patterns[dest] ? patterns[dest] : default_patterns[dest];
}

void
log_list_pattern(struct str *out)
{
    pthread_mutex_lock(&lock);
    if (!local_is_set) {
        use_default_syslog_method();
    }
    str_puts(out, "         prefix                            format\n"
                  "         ------                            ------\n");
    str_printf(out, "SYSLOG   %-32s  %s\n",
               local.prefix ? local.prefix : remote.len ? remote.prefix : "none",
               pattern_of(LOG_SYSLOG));
    str_printf(out, "CONSOLE  %-32s  %s\n", "none", pattern_of(LOG_CONSOLE));
    str_printf(out, "FILE     %-32s  %s\n", "none", pattern_of(LOG_FILE));
    pthread_mutex_unlock(&lock);
}

/* --- Patterns. --- */

struct message {
    const char *module;
    enum log_level level;
    const char *text;
    uint64_t serial;
    int facility;
    struct timespec when;
};

/* strftime() with '#' for digits of the fraction of a second, after the third always 0. */
static void
put_time(struct str *out, const char *format, bool utc, const struct timespec *when)
{
    struct tm tm;
    char text[256], fraction[4];

    if (utc) {
        gmtime_r(&when->tv_sec, &tm);
    } else {
        localtime_r(&when->tv_sec, &tm);
    }
    size_t n = strftime(text, sizeof text, format, &tm);
    snprintf(fraction, sizeof fraction, "%03u", (unsigned) (when->tv_nsec / 1000000) % 1000);
    int digits = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '#') {
            str_putc(out, digits < 3 ? fraction[digits] : '0');
            digits++;
        } else {
            str_putc(out, text[i]);
        }
    }
}

/* "{FORMAT}" after %d or %D, if there, into FORMAT; where the pattern goes on. */
static const char *
take_time_format(const char *p, char *format, size_t size)
{
    const char *end;

    snprintf(format, size, "%%Y-%%m-%%d %%H:%%M:%%S");
    if (*p == '{' && (end = strchr(p, '}')) != NULL) {
        snprintf(format, size, "%.*s", (int) MIN(end - p - 1, (ptrdiff_t) size - 1), p + 1);
        p = end + 1;
    }
    return p;
}

static void
put_message(struct str *out, const char *text)
{
    size_t n = strlen(text);

    while (n && text[n - 1] == '\n') {
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char c = text[i];
        if (c == '\n') {
            str_puts(out, "\\n");
        } else if ((c < 0x20 && c != '\t') || c == 0x7f) {
            str_printf(out, "\\x%02x", c);
        } else {
            str_putc(out, c);
        }
    }
}

/* Expands escape C; what follows it is at P. Returns where the pattern goes on. */
static const char *
put_escape(struct str *out, char c, const char *p, const struct message *m)
{
    char buf[128];

    switch (c) {
    case 'A':
        str_puts(out, program_name());
        break;
    case 'B':
        str_printf(out, "%d", m->facility * 8 + level_severities[m->level]);
        break;
    case 'c':
        str_puts(out, m->module);
        break;
    case 'd':
    case 'D':
        p = take_time_format(p, buf, sizeof buf);
        put_time(out, buf, c == 'D', &m->when);
        break;
    case 'E':
        if (gethostname(buf, sizeof buf)) {
            buf[0] = '\0';
        }
        buf[sizeof buf - 1] = '\0';
        str_puts(out, buf[0] ? buf : "localhost");
        break;
    case 'm':
        put_message(out, m->text);
        break;
    case 'N':
        str_printf(out, "%llu", (unsigned long long) m->serial);
        break;
    case 'n':
        str_putc(out, '\n');
        break;
    case 'p':
        str_puts(out, level_names[m->level]);
        break;
    case 'P':
        str_printf(out, "%ld", (long) getpid());
        break;
    case 'r':
        str_printf(out, "%lld", (long long) (clock_msec() - start_msec));
        break;
    case 't':
        str_puts(out, subprogram[0] ? subprogram : "main");
        break;
    case 'T':
        if (subprogram[0]) {
            str_printf(out, "(%s)", subprogram);
        }
        break;
    default:
        str_putc(out, c);
        break;
    }
    return p;
}

static void
pad_field(struct str *out, size_t start, size_t width, bool left, char pad)
{
    size_t len = out->len - start;

    if (len >= width) {
        return;
    }
    size_t n = width - len;
    str_reserve(out, n);
    if (left) {
        memset(out->s + out->len, ' ', n);
    } else {
        memmove(out->s + start + n, out->s + start, len);
        memset(out->s + start, pad, n);
    }
    out->len += n;
    out->s[out->len] = '\0';
}

static void
expand(struct str *out, const char *p, const struct message *m)
{
    enum { MAX_WIDTH = 1000 };

    while (*p) {
        if (*p != '%') {
            str_putc(out, *p++);
            continue;
        }
        p++;
        bool left = *p == '-';
        p += left;
        char pad = *p == '0' ? '0' : ' ';
        p += *p == '0';
        size_t width = 0;
        for (; isdigit((unsigned char) *p); p++) {
            width = MIN(width * 10 + (*p - '0'), (size_t) MAX_WIDTH);
        }
        if (!*p) {
            break;
        }
        size_t start = out->len;
        char c = *p++;
        p = put_escape(out, c, p, m);
        pad_field(out, start, width, left, pad);
    }
}

/* --- Destinations. --- */

static void
write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR) {
            return;            /* There is nobody to tell. */
        }
        if (done > 0) {
            p += done;
            n -= done;
        }
    }
}

static void
receiver_close(struct receiver *r)
{
    if (r->fd >= 0) {
        close(r->fd);
        r->fd = -1;
    }
}

static bool
receiver_open(struct receiver *r)
{
    enum { RETRY_MSEC = 1000 };

    if (r->fd >= 0) {
        return true;
    }
    if (!r->len || clock_msec() < r->retry_at) {
        return false;
    }
    r->fd = socket(r->addr.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->fd >= 0 && connect(r->fd, &r->addr.sa, r->len)) {
        receiver_close(r);
    }
    if (r->fd < 0) {
        r->retry_at = clock_msec() + RETRY_MSEC;
    }
    return r->fd >= 0;
}

static void
receiver_send(struct receiver *r, struct message *m)
{
    if (!receiver_open(r)) {
        return;
    }
    struct str line = STR_INIT;
    m->facility = facility >= 0 ? facility : r->facility;
    expand(&line, r->prefix, m);
    expand(&line, pattern_of(LOG_SYSLOG), m);
    if (send(r->fd, line.s, line.len, MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
        /* The syslog daemon was restarted, perhaps: once more. */
        receiver_close(r);
        if (receiver_open(r) && send(r->fd, line.s, line.len, MSG_NOSIGNAL) < 0) {
            receiver_close(r);
            r->retry_at = clock_msec() + 1000;
        }
    }
    str_free(&line);
}

static bool
receiver_set_unix(struct receiver *r, const char *path, const char *prefix)
{
    if (strlen(path) >= sizeof r->addr.un.sun_path) {
        return false;
    }
    receiver_close(r);
    memset(&r->addr, 0, sizeof r->addr);
    r->addr.un.sun_family = AF_UNIX;
    strcpy(r->addr.un.sun_path, path);
    r->len = sizeof r->addr.un;
    r->prefix = prefix;
    r->retry_at = 0;
    return true;
}

/* HOST[:PORT], a numeric address; IPv6 in brackets when a port follows. */
static bool
receiver_set_udp(struct receiver *r, const char *target)
{
    enum { SYSLOG_PORT = 514 };
    char host[INET6_ADDRSTRLEN];
    const char *begin = target, *end, *port = NULL;
    int64_t number = SYSLOG_PORT;

    if (*target == '[') {
        begin++;
        end = strchr(begin, ']');
        if (!end || (end[1] && end[1] != ':')) {
            return false;
        }
        port = end[1] ? end + 2 : NULL;
    } else {
        end = strchr(target, ':');
        if (!end || strchr(end + 1, ':')) {
            end = target + strlen(target);
        } else {
            port = end + 1;
        }
    }
    if ((port && !str_to_int(port, 1, 65535, &number)) || end - begin >= (ptrdiff_t) sizeof host) {
        return false;
    }
    memcpy(host, begin, end - begin);
    host[end - begin] = '\0';

    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(number) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(number) };
    bool is_v4 = inet_pton(AF_INET, host, &in.sin_addr) == 1;
    if (!is_v4 && inet_pton(AF_INET6, host, &in6.sin6_addr) != 1) {
        return false;
    }
    receiver_close(r);
    if (is_v4) {
        r->addr.in = in;
    } else {
        r->addr.in6 = in6;
    }
    r->len = is_v4 ? sizeof in : sizeof in6;
    r->prefix = REMOTE_PREFIX;
    r->retry_at = 0;
    return true;
}

/* True if METHOD is a syslog method and is now in use. */
static bool
set_syslog_method(const char *method)
{
    const char *arg;

    if (str_eq(method, "null")) {
        receiver_close(&local);
        local.len = 0;
        local.prefix = NULL;
    } else if (str_eq(method, "libc")) {
        receiver_set_unix(&local, "/dev/log", LOCAL_PREFIX);
    } else if ((arg = str_after(method, "unix:")) != NULL) {
        if (!receiver_set_unix(&local, arg, REMOTE_PREFIX)) {
            return false;
        }
    } else if ((arg = str_after(method, "udp:")) != NULL) {
        if (!receiver_set_udp(&local, arg)) {
            return false;
        }
    } else {
        return false;
    }
    local_is_set = true;
    return true;
}

static void
use_default_syslog_method(void)
{
    const char *method = getenv("OVS_SYSLOG_METHOD");

    if (!method || !set_syslog_method(method)) {
        set_syslog_method("libc");
    }
    update_all_max();
}

char *
log_set_syslog(const char *spec)
{
    char *error = NULL;

    pthread_mutex_lock(&lock);
    if (!set_syslog_method(spec) && !receiver_set_udp(&remote, spec)) {
        error = xasprintf("\"%s\" is neither a syslog method (null, libc, unix:FILE, udp:IP:PORT) "
                          "nor a target IP:PORT", spec);
    }
    update_all_max();
    pthread_mutex_unlock(&lock);
    return error;
}

static struct message
new_message(const struct log_module *m, enum log_level level, const char *text)
{
    struct message msg = { .module = m->name, .level = level, .text = text, .serial = ++n_messages };
    clock_gettime(CLOCK_REALTIME, &msg.when);
    msg.facility = facility >= 0 ? facility : FACILITY_DAEMON;
    return msg;
}

static void
write_line(int fd, enum log_dest dest, const struct message *msg)
{
    struct str line = STR_INIT;

    expand(&line, pattern_of(dest), msg);
    str_putc(&line, '\n');
    write_all(fd, line.s, line.len);
    str_free(&line);
}

static void
emit(const struct log_module *m, enum log_level level, const char *text)
{
    struct message msg = new_message(m, level, text);

    if (m->levels[LOG_CONSOLE] >= level) {
        write_line(STDERR_FILENO, LOG_CONSOLE, &msg);
    }
    if (file_fd >= 0 && m->levels[LOG_FILE] >= level) {
        write_line(file_fd, LOG_FILE, &msg);
    }
    if (m->levels[LOG_SYSLOG] >= level) {
        if (!local_is_set) {
            use_default_syslog_method();
        }
        receiver_send(&local, &msg);
        receiver_send(&remote, &msg);
    }
}

/* --- The log file. --- */

static const char *
log_dir(void)
{
    const char *dir = getenv("OVN_LOGDIR");

    if (!dir || !*dir) {
        dir = getenv("OVS_LOGDIR");
    }
    return dir && *dir ? dir : "/var/log/ovn";
}

static char *
open_file(void)
{
    char *error = NULL;

    if (file_fd >= 0) {
        close(file_fd);
    }
    file_fd = open(file_name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file_fd < 0) {
        error = xasprintf("failed to open %s for logging: %s", file_name, strerror(errno));
    } else if (this_module.levels[LOG_FILE] >= LOG_INFO_) {
        /* Into the file only: whoever started us did not ask to be told. */
        char *text = xasprintf("opened log file %s", file_name);
        struct message msg = new_message(&this_module, LOG_INFO_, text);
        write_line(file_fd, LOG_FILE, &msg);
        free(text);
    }
    update_all_max();
    return error;
}

char *
log_open_file(const char *path)
{
    pthread_mutex_lock(&lock);
    free(file_name);
    file_name = path ? xstrdup(path) : xasprintf("%s/%s.log", log_dir(), program_name());
    if (file_name[0] != '/') {
        /* A daemon changes its directory, and reopens later. */
        char *cwd = getcwd(NULL, 0), *relative = file_name;
        file_name = xasprintf("%s/%s", cwd ? cwd : ".", relative);
        free(cwd);
        free(relative);
    }
    char *error = open_file();
    pthread_mutex_unlock(&lock);
    return error;
}

char *
log_reopen(void)
{
    pthread_mutex_lock(&lock);
    char *error = file_name ? open_file() : NULL;
    pthread_mutex_unlock(&lock);
    return error;
}

const char *
log_file_name(void)
{
    return file_name;
}

void
log_close(void)
{
    pthread_mutex_lock(&lock);
    if (file_fd >= 0) {
        close(file_fd);
        file_fd = -1;
    }
    update_all_max();
    pthread_mutex_unlock(&lock);
}

/* --- Writing. --- */

/* Takes a token from RL, or counts a message dropped. A token is 60,000 units, and a millisecond
 * brings per_minute of them. If this message is the first after some were dropped, says so. */
static bool
ratelimit_admit(const struct log_module *m, enum log_level level, struct log_ratelimit *rl)
{
    enum { TOKEN = 60000 };
    int64_t now = clock_msec();
    uint64_t full = MIN((uint64_t) rl->burst * TOKEN, UINT32_MAX);

    if (!rl->last_fill) {
        rl->tokens = full;
    } else {
        uint64_t gain = MIN((uint64_t) (now - rl->last_fill), full) * rl->per_minute;
        rl->tokens = MIN(rl->tokens + gain, full);
    }
    rl->last_fill = now;
    if (rl->tokens < TOKEN) {
        if (!rl->n_dropped++) {
            rl->first_dropped = now;
        }
        rl->last_dropped = now;
        return false;
    }
    rl->tokens -= TOKEN;
    if (rl->n_dropped) {
        char *text = xasprintf("Dropped %u log messages in last %lld seconds (most recently, %lld "
                               "seconds ago) due to excessive rate", rl->n_dropped,
                               (long long) (now - rl->first_dropped) / 1000,
                               (long long) (now - rl->last_dropped) / 1000);
        rl->n_dropped = 0;
        emit(m, level, text);
        free(text);
    }
    return true;
}

void
log_write(struct log_module *m, enum log_level level, struct log_ratelimit *rl, const char *fmt, ...)
{
    if (m->max < level) {
        return;
    }
    int saved_errno = errno;
    pthread_mutex_lock(&lock);
    if (!rl || !m->honor_rate_limits || ratelimit_admit(m, level, rl)) {
        struct str text = STR_INIT;
        va_list args;

        va_start(args, fmt);
        errno = saved_errno;           /* For %m. */
        str_vprintf(&text, fmt, args);
        va_end(args);
        emit(m, level, str_c(&text));
        str_free(&text);
    }
    pthread_mutex_unlock(&lock);
    errno = saved_errno;
}
