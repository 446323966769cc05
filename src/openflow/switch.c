/* switch.c - the connection to one switch.
 *
 * States: idle (waiting to connect), connecting, hello, setup (features, packet-in format, table of tunnel options), dump (flows found are
 * adopted as they stream in), ready. A connection for packets alone goes from setup to ready. Whatever goes wrong drops the connection and tries again with back-off. Messages of a bad length or
 * form are the switch's end: OpenFlow has no way to find the next. What this side sends is queued in `out`; flow changes are one flight
 * at a time (flight.c), so the queue is bounded by a bundle, and packet-outs above MAX_QUEUE are dropped. */
#include "openflow/switch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "openflow/flight.h"
#include "openflow/put.h"
#include "runtime/metrics.h"
#include "runtime/socket.h"

LOG_MODULE(ofconn);
METRIC(of_flow_mod)
METRIC(of_packet_in)
METRIC(of_packet_out)
METRIC(of_packet_out_dropped)

enum { BACKOFF_MIN_MS = 100, BACKOFF_MAX_MS = 8000, HANDSHAKE_MS = 30000, MAX_QUEUE = 16 << 20, READ_CHUNK = 256 << 10, READ_ROUNDS = 8 };
enum { GENEVE_CLASS = 0x0102, GENEVE_TYPE = 0x80, GENEVE_LEN = 4 };

enum state { IDLE, CONNECTING, HELLO, SETUP, DUMP, READY };

struct of_switch {
    struct loop *loop;
    struct of_flows *flows;
    char *target;

    enum state state;
    int fd;
    struct loop_io *io;
    struct loop_timer *retry, *probe, *notify;
    int64_t backoff, last_receive, probe_interval;
    bool probed;                       /* An echo request is unanswered. */
    bool complained;                   /* Logged why it cannot connect. */

    struct str in, out;
    size_t out_pos;                    /* What of `out` was written. */
    uint32_t xid, dump_xid;

    int tun_index;
    bool tun_added;
    uint64_t generation, mark, installed, covers, n_sent;
    struct flight flight;
    bool again;                        /* Sync once more when the flight is over. */

    void (*changed)(void *aux);
    void *changed_aux;
    void (*packet_in)(void *aux, const struct of_packet_in *);
    void *packet_in_aux;
};

static void start_connect(void *);
static void check_alive(void *);
static void run_changed(void *);
static void on_io(void *, unsigned events);

struct of_switch *
of_switch_create(struct loop *loop, struct of_flows *flows)
{
    struct of_switch *s = XNEW(struct of_switch);

    *s = (struct of_switch) { .loop = loop, .flows = flows, .fd = -1, .xid = 1, .tun_index = -1, .backoff = BACKOFF_MIN_MS };
    s->retry = loop_timer_create(loop, start_connect, s);
    s->probe = loop_timer_create(loop, check_alive, s);
    s->notify = loop_timer_create(loop, run_changed, s);
    return s;
}

static void
run_changed(void *s_)
{
    struct of_switch *s = s_;

    if (s->changed) {
        s->changed(s->changed_aux);
    }
}

static void
notify(struct of_switch *s)
{
    loop_timer_set(s->notify, 0);
}

/* Closes the connection; what was under way is forgotten. */
static void
disconnect(struct of_switch *s)
{
    bool was_ready = s->state == READY;

    loop_io_destroy(s->io);
    s->io = NULL;
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    loop_timer_cancel(s->probe);
    str_free(&s->in);
    str_free(&s->out);
    s->out_pos = 0;
    s->state = IDLE;
    s->tun_index = -1;
    s->tun_added = s->probed = s->again = false;
    s->installed = s->covers = 0;
    flight_reset(&s->flight);
    if (was_ready) {
        notify(s);
    }
}

/* The connection failed because of WHY: again, later. */
static void
fail(struct of_switch *s, const char *why)
{
    if (s->state == READY || !s->complained) {
        LOG_WARN("%s: %s", s->target, why);
        s->complained = true;
    } else {
        LOG_DBG("%s: %s", s->target, why);
    }
    if (s->state == READY) {
        s->complained = false;
    }
    disconnect(s);
    loop_timer_set(s->retry, s->backoff);
    s->backoff = MIN(s->backoff * 2, BACKOFF_MAX_MS);
}

static void
start_connect(void *s_)
{
    struct of_switch *s = s_;
    const char *address = str_after(s->target, "unix:");
    char *error = NULL;

    if (address) {
        s->fd = socket_connect_unix(address, &error);
    } else if ((address = str_after(s->target, "tcp:"))) {
        s->fd = socket_connect_tcp(address, 6653, &error);
    } else {
        error = xstrdup("neither unix:PATH nor tcp:HOST:PORT");
    }
    if (s->fd < 0) {
        fail(s, error);
        free(error);
        return;
    }
    s->state = CONNECTING;
    s->last_receive = clock_msec();
    s->io = loop_io_create(s->loop, s->fd, LOOP_READ | LOOP_WRITE, on_io, s);
    check_alive(s);
}

void
of_switch_set_target(struct of_switch *s, const char *target)
{
    if (target && s->target ? str_eq(target, s->target) : target == s->target) {
        return;
    }
    disconnect(s);
    loop_timer_cancel(s->retry);
    free(s->target);
    s->target = target ? xstrdup(target) : NULL;
    s->backoff = BACKOFF_MIN_MS;
    s->complained = false;
    if (target) {
        loop_timer_set(s->retry, 0);
    }
}

const char *
of_switch_target(const struct of_switch *s)
{
    return s->target;
}

int64_t
of_switch_probe_interval(const struct of_switch *s)
{
    return s->probe_interval;
}

void
of_switch_destroy(struct of_switch *s)
{
    if (!s) {
        return;
    }
    of_switch_set_target(s, NULL);
    loop_timer_destroy(s->retry);
    loop_timer_destroy(s->probe);
    loop_timer_destroy(s->notify);
    flight_destroy(&s->flight);
    free(s);
}

/* Writes what the socket takes. False if the connection is gone. */
static bool
flush(struct of_switch *s)
{
    while (s->out_pos < s->out.len) {
        ssize_t n = send(s->fd, s->out.s + s->out_pos, s->out.len - s->out_pos, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        } else if (n < 0 && errno != EAGAIN) {
            fail(s, strerror(errno));
            return false;
        } else if (n < 0) {
            break;
        }
        s->out_pos += n;
    }
    if (s->out_pos == s->out.len) {
        s->out_pos = 0;
        s->out.cap > READ_CHUNK ? str_free(&s->out) : str_clear(&s->out);
    }
    loop_io_set(s->io, s->out.len ? LOOP_READ | LOOP_WRITE : LOOP_READ);
    return true;
}

/* Something was put in `out`: the loop writes it. */
static void
wants_write(struct of_switch *s)
{
    loop_io_set(s->io, LOOP_READ | LOOP_WRITE);
}

void
of_switch_set_probe_interval(struct of_switch *s, int64_t ms)
{
    s->probe_interval = ms;
    s->probed = false;
    if (s->io) {
        check_alive(s);
    }
}

/* Before it is ready a silent switch is dropped after a time; when ready, asked first. */
static void
check_alive(void *s_)
{
    struct of_switch *s = s_;
    int64_t silent = clock_msec() - s->last_receive, limit = s->state == READY ? s->probe_interval : HANDSHAKE_MS;

    if (!limit) {
        return;
    } else if (silent < limit) {
        s->probed = false;
        loop_timer_set(s->probe, limit - silent);
    } else if (s->state != READY || s->probed) {
        fail(s, "no answer for too long");
    } else {
        s->probed = true;
        ofm_put_empty(&s->out, OFPT_ECHO_REQUEST, s->xid++);
        wants_write(s);
        loop_timer_set(s->probe, limit);
    }
}

static void
become_ready(struct of_switch *s)
{
    s->state = READY;
    s->backoff = BACKOFF_MIN_MS;
    s->complained = false;
    s->generation++;
    LOG_INFO("%s: connected%s", s->target, s->flows ? "" : " for packets");
    check_alive(s);
    notify(s);
}

static void
start_dump(struct of_switch *s)
{
    s->state = DUMP;
    s->dump_xid = s->xid++;
    of_flows_begin_adoption(s->flows);
    ofm_put_flow_dump(&s->out, s->dump_xid);
    wants_write(s);
}

static char *
on_hello(struct of_switch *s, const struct ofm *m)
{
    if (s->state != HELLO) {
        return xstrdup("greets twice");
    } else if (!ofm_hello_has_version(m, OF_VERSION)) {
        return xstrdup("the switch does not speak OpenFlow 1.5 (see protocols in ovs-vswitchd.conf.db(5))");
    }
    s->state = SETUP;
    ofm_put_async_setup(&s->out, s->xid++, !s->flows);
    ofm_put_empty(&s->out, OFPT_FEATURES_REQUEST, s->xid++);
    if (s->flows) {
        ofm_put_tlv_request(&s->out, s->xid++);
    }
    wants_write(s);
    return NULL;
}

static char *
on_tlv_table(struct of_switch *s, const uint8_t *body, size_t n)
{
    struct ofm_tlv_table t;

    if (s->state != SETUP || !s->flows) {
        return NULL;
    }
    char *error = ofm_parse_tlv_table(body, n, GENEVE_CLASS, GENEVE_TYPE, GENEVE_LEN, &t);
    if (error) {
        return error;
    }
    s->tun_index = t.index;
    if (t.index < 0 && !t.conflict && !s->tun_added && ~t.used) {
        s->tun_added = true;           /* Asks again, to see what became of it. */
        ofm_put_tlv_add(&s->out, s->xid++, GENEVE_CLASS, GENEVE_TYPE, GENEVE_LEN, __builtin_ctzll(~t.used));
        ofm_put_tlv_request(&s->out, s->xid++);
        wants_write(s);
        return NULL;
    }
    if (t.index < 0) {
        LOG_WARN("%s: the switch has no tunnel metadata field for Geneve option class 0x%x type 0x%x of %d bytes: %s", s->target, GENEVE_CLASS,
                 GENEVE_TYPE, GENEVE_LEN, t.conflict ? "it is mapped with another length" : "it cannot be mapped");
    } else if (t.index > 0) {
        LOG_INFO("%s: tun_metadata%d stands for the Geneve option: another has tun_metadata0 or mapped it so", s->target, t.index);
    }
    start_dump(s);
    return NULL;
}

static char *
on_multipart(struct of_switch *s, const struct ofm *m)
{
    struct of_match match = OF_MATCH_INIT;
    struct str oxm = STR_INIT;
    const uint8_t *p;
    uint16_t type;
    size_t n;
    bool more;

    if (s->state != DUMP || m->xid != s->dump_xid) {
        return NULL;
    }
    char *error = ofm_parse_multipart(m, &type, &more, &p, &n);
    while (!error && n) {
        struct ofm_flow f;
        error = ofm_next_flow(&p, &n, &f);
        if (error) {
            break;
        }
        /* In our form; what we cannot read, in the switch's, so that it can be deleted. */
        of_match_clear(&match);
        str_clear(&oxm);
        char *unknown = of_match_parse_oxm(f.key.match, f.key.match_len, &match);
        if (!unknown) {
            of_match_put_oxm(&match, &oxm);
            f.key.match = str_c(&oxm);
            f.key.match_len = oxm.len;
        }
        free(unknown);
        of_flows_adopt(s->flows, &f.key, f.content);
    }
    of_match_destroy(&match);
    str_free(&oxm);
    if (!error && !more) {
        become_ready(s);
    }
    return error;
}

static char *
on_error(struct of_switch *s, const struct ofm *m)
{
    struct ofm_error e;
    char *error = ofm_parse_error(m, &e);

    if (error) {
        return error;
    } else if (flight_error(&s->flight, &e)) {
        return NULL;
    }
    struct str text = STR_INIT;
    ofm_format_error(&e, &text);
    if (s->state == HELLO || s->state == DUMP) {
        error = xasprintf("the switch answered the handshake with %s", str_c(&text));
    } else {
        LOG_WARN_RL("%s: the switch refused a message of type %u: %s", s->target, e.failed_type, str_c(&text));
    }
    str_free(&text);
    return error;
}

static void
on_packet_in(struct of_switch *s, const uint8_t *p, size_t n)
{
    struct of_packet_in in;
    char *error = ofm_parse_packet_in(p, n, &in);

    METRIC_INC(of_packet_in);
    if (error) {
        LOG_WARN_RL("%s: %s", s->target, error);
        free(error);
    } else if (s->packet_in) {
        s->packet_in(s->packet_in_aux, &in);
    }
    of_match_destroy(&in.metadata);
}

static void
on_barrier(struct of_switch *s, const struct ofm *m)
{
    if (!s->flight.active || m->xid != s->flight.barrier_xid) {
        return;
    }
    if (!flight_finish(&s->flight, s->flows)) {
        of_switch_sync(s);
        return;
    }
    if (s->covers > s->installed) {
        s->installed = s->covers;
    }
    if (s->again) {
        of_switch_sync(s);
    }
    notify(s);
}

/* One message. A message of what is wrong with the connection, or NULL. */
static char *
on_message(struct of_switch *s, const struct ofm *m)
{
    struct ofm_bundle_reply reply;
    const uint8_t *body;
    uint32_t subtype;
    char *error = NULL;
    size_t n;

    if (m->type == OFPT_HELLO) {
        return on_hello(s, m);
    } else if (m->type == OFPT_ERROR) {
        return on_error(s, m);
    } else if (m->version != OF_VERSION) {
        return xasprintf("message of OpenFlow version %u", m->version);
    }
    switch (m->type) {
    case OFPT_ECHO_REQUEST:
        ofm_put_echo(&s->out, OFPT_ECHO_REPLY, m->xid, m->body, m->n);
        wants_write(s);
        break;
    case OFPT_FEATURES_REPLY:
        if (m->n < 24) {
            return xstrdup("features reply is too short");
        }
        LOG_DBG("%s: datapath %016llx", s->target, (unsigned long long) get_u64(m->body));
        if (s->state == SETUP && !s->flows) {
            become_ready(s);
        }
        break;
    case OFPT_MULTIPART_REPLY:
        return on_multipart(s, m);
    case OFPT_BARRIER_REPLY:
        on_barrier(s, m);
        break;
    case OFPT_BUNDLE_CONTROL:
        error = ofm_parse_bundle_reply(m, &reply);
        if (!error) {
            flight_bundle_reply(&s->flight, &reply);
        }
        return error;
    case OFPT_EXPERIMENTER:
        if (!ofm_parse_nicira(m, &subtype, &body, &n)) {
            break;
        } else if (subtype == NXT_TLV_TABLE_REPLY) {
            return on_tlv_table(s, body, n);
        } else if (subtype == NXT_PACKET_IN2) {
            on_packet_in(s, body, n);
        }
        break;
    }
    return NULL;
}

/* The complete messages in `in`. False if the connection is gone. */
static bool
handle_messages(struct of_switch *s)
{
    size_t pos = 0;

    while (s->in.len - pos >= OF_HEADER_LEN) {
        const uint8_t *p = (const uint8_t *) s->in.s + pos;
        struct ofm m;
        char *error = NULL;
        if (!ofm_parse_header(p, &m)) {
            error = xstrdup("message with a bad length");
        } else if (s->state == HELLO && m.type != OFPT_HELLO && m.type != OFPT_ERROR) {
            error = xstrdup("does not greet as OpenFlow does");
        } else if (s->in.len - pos < OF_HEADER_LEN + m.n) {
            break;
        } else {
            error = on_message(s, &m);
        }
        if (error) {
            fail(s, error);
            free(error);
            return false;
        } else if (s->fd < 0) {
            return false;              /* A callback closed it. */
        }
        pos += OF_HEADER_LEN + m.n;
    }
    memmove(s->in.s, s->in.s + pos, s->in.len - pos);
    str_truncate(&s->in, s->in.len - pos);
    return true;
}

static void
receive(struct of_switch *s)
{
    for (int i = 0; i < READ_ROUNDS; i++) {
        str_reserve(&s->in, READ_CHUNK);
        ssize_t n = read(s->fd, s->in.s + s->in.len, READ_CHUNK);
        if (n > 0) {
            s->in.len += n;
            s->last_receive = clock_msec();
            s->probed = false;
            if (!handle_messages(s)) {
                return;
            }
            if (n < READ_CHUNK) {
                return;
            }
        } else if (!n) {
            fail(s, "connection closed by the switch");
            return;
        } else if (errno != EINTR) {
            if (errno != EAGAIN) {
                fail(s, strerror(errno));
            }
            return;
        }
    }
}

static void
on_io(void *s_, unsigned events)
{
    struct of_switch *s = s_;

    if (s->state == CONNECTING) {
        int error = socket_error(s->fd);
        if (error == EINPROGRESS) {
            return;
        } else if (error) {
            fail(s, strerror(error));
            return;
        }
        s->state = HELLO;
        ofm_put_hello(&s->out, s->xid++);
    }
    if (events & LOOP_WRITE && !flush(s)) {
        return;
    }
    if (events & LOOP_READ) {
        receive(s);
    }
}

void
of_switch_sync(struct of_switch *s)
{
    REQUIRE(s->flows);
    if (s->state != READY || s->flight.active) {
        s->again = s->state == READY;
        return;
    }
    s->again = false;
    uint64_t mark = s->mark;
    if (flight_start(&s->flight, s->flows, &s->xid, &s->out)) {
        s->again = of_flows_n_pending(s->flows) > 0;   /* More than a bundle holds. */
        s->covers = s->again ? 0 : mark;
        s->n_sent += s->flight.n;
        METRIC_ADD(of_flow_mod, s->flight.n);
        wants_write(s);
    } else if (s->installed != mark) {
        s->installed = mark;
        notify(s);
    }
}

bool
of_switch_is_ready(const struct of_switch *s)
{
    return s->state == READY;
}

uint64_t
of_switch_generation(const struct of_switch *s)
{
    return s->generation;
}

uint64_t
of_switch_mark(struct of_switch *s)
{
    return ++s->mark;
}

uint64_t
of_switch_installed(const struct of_switch *s)
{
    return s->installed;
}

uint64_t
of_switch_n_sent(const struct of_switch *s)
{
    return s->n_sent;
}

void
of_switch_on_change(struct of_switch *s, void (*changed)(void *aux), void *aux)
{
    s->changed = changed;
    s->changed_aux = aux;
}

size_t
of_switch_n_refused(const struct of_switch *s)
{
    return of_flows_n_refused(s->flows);
}

void
of_switch_retry_refused(struct of_switch *s)
{
    of_flows_retry_refused(s->flows);
}

int
of_switch_tun_metadata_index(const struct of_switch *s)
{
    return s->tun_index;
}

void
of_switch_on_packet_in(struct of_switch *s, void (*cb)(void *aux, const struct of_packet_in *), void *aux)
{
    s->packet_in = cb;
    s->packet_in_aux = aux;
}

/* Whether N bytes more can be queued. */
static bool
has_room(struct of_switch *s, size_t n)
{
    if (s->state != READY || s->out.len - s->out_pos > MAX_QUEUE || n > OF_MAX_MESSAGE) {
        METRIC_INC(of_packet_out_dropped);
        return false;
    }
    METRIC_INC(of_packet_out);
    return true;
}

void
of_switch_packet_out(struct of_switch *s, uint32_t in_port, const void *packet, size_t packet_len, const void *actions, size_t actions_len)
{
    if (has_room(s, actions_len + packet_len + 64)) {
        ofm_put_packet_out(&s->out, s->xid++, in_port, packet, packet_len, actions, actions_len);
        wants_write(s);
    }
}

void
of_switch_resume(struct of_switch *s, const struct of_packet_in *in, const void *packet, size_t packet_len, const struct of_match *metadata)
{
    if (has_room(s, packet_len + in->continuation_len + metadata->n * 40 + 64)) {
        ofm_put_resume(&s->out, s->xid++, in, packet, packet_len, metadata);
        wants_write(s);
    }
}
