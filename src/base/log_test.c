/* Tests of log.c: specs, patterns, rate limits, file and syslog destinations. */
#include "base/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"

LOG_MODULE(log_test);

static struct log_module other = { .name = "other_module", .honor_rate_limits = true };
static char dir[64];
static char path[128];

static void
set_ok(const char *spec)
{
    char *error = log_set(spec);
    assert_null(error);
}

static void
set_bad(const char *spec, const char *expected)
{
    char *error = log_set(spec);
    assert_non_null(error);
    assert_string_equal(error, expected);
    free(error);
}

/* What the log file holds since the last call. */
static const char *
take_file(void)
{
    static char text[65536];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    assert_int_equal(truncate(path, 0), 0);
    return text;
}

static void
test_spec(void **state)
{
    set_ok("off");
    assert_int_equal(this_module.max, LOG_OFF);
    set_ok("log_test:file:warn");
    assert_int_equal(this_module.levels[LOG_FILE], LOG_WARN_);
    assert_int_equal(this_module.levels[LOG_CONSOLE], LOG_OFF);
    assert_int_equal(other.levels[LOG_FILE], LOG_OFF);
    set_ok("Info CONSOLE,any");
    assert_int_equal(other.levels[LOG_CONSOLE], LOG_INFO_);
    assert_int_equal(this_module.levels[LOG_FILE], LOG_WARN_);
    set_ok("other_module");
    assert_int_equal(other.levels[LOG_SYSLOG], LOG_DBG_);
    assert_int_equal(this_module.levels[LOG_SYSLOG], LOG_OFF);
    set_ok("");
    assert_int_equal(this_module.levels[LOG_SYSLOG], LOG_DBG_);

    set_bad("foo:bar", "no destination, level, or module \"foo\"");
    set_bad("file:xx", "no destination, level, or module \"xx\"");
    set_bad("off dbg", "cannot specify multiple levels");
    set_bad("file console", "cannot specify multiple destinations");
    set_bad("log_test other_module", "cannot specify multiple modules");
    set_bad("PATTERN", "missing destination");
    set_bad("PATTERN:bad:x", "unknown destination \"bad\"");
    set_bad("FACILITY:bad", "invalid facility");
    set_bad("FACILITY", "invalid facility");

    set_ok("any:info");
    set_ok("console:off");
    /* A level counts for max only where the destination is alive: syslog is null here. */
    set_ok("file:warn");
    assert_int_equal(this_module.max, LOG_WARN_);
    set_ok("file:info");
}

static void
test_list(void **state)
{
    struct str s = STR_INIT;

    assert_false(log_set_rate_limits("nonesuch", false));
    assert_true(log_set_rate_limits("other_module", false));
    log_list(&s);
    assert_non_null(strstr(s.s, "                 console    syslog    file\n"));
    assert_non_null(strstr(s.s, "log_test           OFF       INFO       INFO\n"));
    assert_non_null(strstr(s.s, "other_module       OFF       INFO       INFO    (rate limiting disabled)\n"));
    assert_true(log_set_rate_limits("any", true));
    str_clear(&s);
    log_list_pattern(&s);
    assert_non_null(strstr(s.s, "\nFILE     none                              "
                                "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m\n"));
    str_free(&s);
}

static void
test_default_pattern(void **state)
{
    int y, mo, d, h, mi, s, ms, seq;
    char rest[200];

    take_file();
    errno = ENOENT;
    LOG_WARN("hello %d: %m", 5);
    assert_int_equal(errno, ENOENT);
    const char *text = take_file();
    assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ|%5d|%199[^\n]", &y, &mo, &d, &h, &mi,
                            &s, &ms, &seq, rest), 9);
    assert_string_equal(rest, "log_test|WARN|hello 5: No such file or directory");
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_int_equal(strchr(text, '|')[6], '|');       /* Five digits. */

    LOG_DBG("not seen");
    assert_string_equal(take_file(), "");
    LOG_INFO("two\nlines\x1b[0m\n\n");
    assert_non_null(strstr(take_file(), "|two\\nlines\\x1b[0m\n"));
}

static void
expect_pattern(const char *pattern, const char *expected)
{
    char *spec = xasprintf("PATTERN:file:%s", pattern);
    set_ok(spec);
    free(spec);
    LOG_INFO("msg");
    char *line = xasprintf("%s\n", expected);
    assert_string_equal(take_file(), line);
    free(line);
}

static void
test_pattern(void **state)
{
    char buf[64];

    take_file();
    expect_pattern("[%8m][%-8m][%08m][%2m]", "[     msg][msg     ][00000msg][msg]");
    expect_pattern("%c:%p:%A %%", "log_test:INFO:prog %");
    expect_pattern("%t%T", "main");
    log_set_subprogram("monitor");
    expect_pattern("%c%T %t", "log_test(monitor) monitor");
    log_set_subprogram("");
    expect_pattern("%B", "30");            /* daemon.info */
    set_ok("FACILITY:local7");
    expect_pattern("%B", "190");
    set_ok("FACILITY:daemon");
    snprintf(buf, sizeof buf, "%d", (int) getpid());
    expect_pattern("%P", buf);
    expect_pattern("%D{literal}:%Zx%", "literal:Zx");
    expect_pattern("a%nb", "a\nb");
    set_ok("PATTERN:file:%d %D{#####}");
    LOG_INFO("x");
    int y, d, f;
    const char *line = take_file();
    assert_int_equal(sscanf(line, "%4d-%*2d-%2d %*2d:%*2d:%*2d %5d", &y, &d, &f), 3);
    assert_int_equal(f % 100, 0);
    assert_int_equal(strlen(line), 26);
    /* A field wider than sense is bounded. */
    set_ok("PATTERN:file:%99999999999m");
    LOG_INFO("x");
    assert_int_equal(strlen(take_file()), 1001);
    set_ok("PATTERN:file:%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m");
}

static void
test_ratelimit(void **state)
{
    struct log_ratelimit rl = LOG_RATELIMIT(60000, 3);

    take_file();
    for (int i = 0; i < 50; i++) {
        LOG_AT_(LOG_WARN_, &rl, "flood");
    }
    const char *text = take_file();
    int n = 0;
    for (const char *p = text; (p = strstr(p, "|WARN|flood\n")) != NULL; p++) {
        n++;
    }
    assert_in_range(n, 3, 49);
    /* 60,000 a minute is one a millisecond. */
    usleep(5000);
    rl.n_dropped = 7;
    rl.first_dropped -= 12000;
    rl.last_dropped -= 3000;
    LOG_AT_(LOG_WARN_, &rl, "again");
    text = take_file();
    const char *dropped = strstr(text, "|WARN|Dropped 7 log messages in last 12 seconds (most recently, "
                                       "3 seconds ago) due to excessive rate\n");
    assert_non_null(dropped);
    assert_non_null(strstr(dropped, "|WARN|again\n"));

    rl = (struct log_ratelimit) LOG_RATELIMIT(1, 1);
    assert_true(log_set_rate_limits("log_test", false));
    for (int i = 0; i < 10; i++) {
        LOG_AT_(LOG_WARN_, &rl, "flood");
    }
    assert_int_equal(rl.n_dropped, 0);
    log_set_rate_limits("log_test", true);
}

static void
test_reopen(void **state)
{
    char *old = xasprintf("%s.1", path);
    struct stat st;

    take_file();
    assert_string_equal(log_file_name(), path);
    assert_int_equal(rename(path, old), 0);
    LOG_INFO("to the old one");
    char *error = log_reopen();
    assert_null(error);
    LOG_INFO("to the new one");
    const char *text = take_file();
    assert_non_null(strstr(text, "|vlog|INFO|opened log file "));
    assert_non_null(strstr(text, "to the new one"));
    log_close();
    LOG_INFO("to nobody");
    assert_int_equal(this_module.max, LOG_OFF);
    assert_string_equal(take_file(), "");
    error = log_reopen();
    assert_null(error);
    assert_non_null(strstr(take_file(), "opened log file"));
    assert_int_equal(stat(old, &st), 0);
    assert_true(st.st_size > 0);
    unlink(old);
    free(old);
    error = log_open_file("/nonexistent/x.log");
    assert_string_equal(error, "failed to open /nonexistent/x.log for logging: No such file or directory");
    free(error);
    error = log_open_file(path);
    assert_null(error);
}

static void
test_syslog(void **state)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof in;
    char buf[500];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *) &in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &in, &len), 0);
    for (int i = 0; i < 2; i++) {
        /* As the target, then as the method. */
        char *spec = xasprintf("%s127.0.0.1:%d", i ? "udp:" : "", ntohs(in.sin_port));
        char *error = log_set_syslog(spec);
        assert_null(error);
        free(spec);
        LOG_ERR("to syslog");
        ssize_t n = recv(fd, buf, sizeof buf - 1, 0);
        assert_true(n > 0);
        buf[n] = '\0';
        assert_memory_equal(buf, "<27>", 4);           /* daemon.err, set above. */
        assert_non_null(strstr(buf, " prog: ovn|"));
        assert_non_null(strstr(buf, "|log_test|ERR|to syslog"));
    }
    const char *bad[] = { "blah", "udp:blah:1", "udp:1.2.3.4:99999", "1.2.3.4:x", "[::1", "[::1]x", "" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *error = log_set_syslog(bad[i]);
        assert_non_null(error);
        free(error);
    }
    char *error = log_set_syslog("null");
    assert_null(error);
    error = log_set_syslog("[::1]:5514");
    assert_null(error);
    close(fd);
}

static void *
writer(void *aux)
{
    for (int i = 0; i < 200; i++) {
        LOG_INFO("thread %s message %d end", (const char *) aux, i);
    }
    return NULL;
}

static void
test_threads(void **state)
{
    pthread_t threads[4];
    static char names[4][2] = { "a", "b", "c", "d" };

    take_file();
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, writer, names[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    FILE *f = fopen(path, "r");
    char line[200];
    int n = 0;
    while (fgets(line, sizeof line, f)) {
        assert_non_null(strstr(line, "|log_test|INFO|thread "));
        assert_string_equal(line + strlen(line) - 5, " end\n");
        n++;
    }
    fclose(f);
    assert_int_equal(n, 800);
}

static int
setup(void **state)
{
    program_set_name("/usr/bin/prog");
    log_register(&other);
    strcpy(dir, "/tmp/log_test.XXXXXX");
    if (!mkdtemp(dir)) {
        return 1;
    }
    snprintf(path, sizeof path, "%s/prog.log", dir);
    setenv("OVN_LOGDIR", dir, 1);
    char *error = log_set_syslog("null");
    if (!error) {
        error = log_set("console:off");
    }
    return error || (error = log_open_file(NULL)) != NULL;
}

static int
teardown(void **state)
{
    unlink(path);
    return rmdir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spec), cmocka_unit_test(test_list),
        cmocka_unit_test(test_default_pattern), cmocka_unit_test(test_pattern),
        cmocka_unit_test(test_ratelimit), cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_syslog), cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
