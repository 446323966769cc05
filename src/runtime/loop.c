/* loop.c - the event loop, over libevent.
 *
 * libevent waits and dispatches; what we add is the cycle. One round (loop_once) is: wait until
 * something is ready, call all callbacks that are, then call the cycle once. A loop that was woken
 * (loop_wake) only polls. It starts woken, so the first cycle precedes the first sleep. */
#include "runtime/loop.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"

struct loop {
    struct event_base *base;
    struct event *limit;       /* Bounds the wait of loop_once(). */
    void (*cycle)(void *aux);
    void *cycle_aux;
    bool woken;
    bool stopped;
    bool follows_clock;        /* Timers look at clock_msec(), which need not go as the system's does. */
    struct list timers;
};

struct loop_io {
    struct loop *loop;
    struct event *event;
    int fd;
    unsigned events;
    void (*cb)(void *aux, unsigned events);
    void *aux;
};

struct loop_timer {
    struct list node;          /* In loop->timers. */
    struct loop *loop;
    int64_t due;               /* By clock_msec(); INT64_MAX: not set. */
    struct event *event;
    void (*cb)(void *aux);
    void *aux;
};

static void
on_limit(evutil_socket_t fd, short what, void *aux)
{
}

struct loop *
loop_create(void)
{
    struct loop *loop = XNEW(struct loop);
    struct event_config *config = event_config_new();

    /* A callback may take long; a timer set in it counts from then, not from the round's start. */
    if (config) {
        event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
        loop->base = event_base_new_with_config(config);
        event_config_free(config);
    }
    if (loop->base) {
        loop->limit = event_new(loop->base, -1, 0, on_limit, NULL);
    }
    if (!loop->limit) {
        panic("cannot create an event loop");
    }
    list_init(&loop->timers);
    loop->woken = true;
    return loop;
}

void
loop_destroy(struct loop *loop)
{
    if (loop) {
        event_free(loop->limit);
        event_base_free(loop->base);
        free(loop);
    }
}

void
loop_set_cycle(struct loop *loop, void (*cycle)(void *aux), void *aux)
{
    loop->cycle = cycle;
    loop->cycle_aux = aux;
}

struct event_base *
loop_base(struct loop *loop)
{
    return loop->base;
}

void
loop_after_fork(struct loop *loop)
{
    if (event_reinit(loop->base)) {
        panic("cannot bring the event loop over a fork");
    }
}

static struct timeval
msec_to_timeval(int64_t msec)
{
    msec = MAX(msec, 0);
    return (struct timeval) { .tv_sec = msec / 1000, .tv_usec = msec % 1000 * 1000 };
}

void
loop_once(struct loop *loop, int64_t timeout_ms)
{
    bool poll = loop->woken || timeout_ms == 0 || loop->stopped;

    loop->woken = false;
    if (!poll && timeout_ms > 0) {
        struct timeval tv = msec_to_timeval(timeout_ms);
        event_add(loop->limit, &tv);
    }
    /* Without EVLOOP_ONCE, polling would go on for as long as anything is ready, and never come to the cycle. */
    event_base_loop(loop->base, EVLOOP_ONCE | (poll ? EVLOOP_NONBLOCK : EVLOOP_NO_EXIT_ON_EMPTY));
    event_del(loop->limit);
    if (loop->cycle) {
        loop->cycle(loop->cycle_aux);
    }
}

void
loop_run(struct loop *loop)
{
    while (!loop->stopped) {
        loop_once(loop, -1);
    }
    loop->stopped = false;
}

void
loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

void
loop_wake(struct loop *loop)
{
    loop->woken = true;
}

static void
on_io(evutil_socket_t fd, short what, void *io_)
{
    struct loop_io *io = io_;

    /* The callback may destroy IO: nothing of it is touched afterwards. */
    io->cb(io->aux, (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0) | (what & EV_CLOSED ? LOOP_GONE : 0));
}

struct loop_io *
loop_io_create(struct loop *loop, int fd, unsigned events, void (*cb)(void *, unsigned), void *aux)
{
    struct loop_io *io = XNEW(struct loop_io);

    io->loop = loop;
    io->fd = fd;
    io->cb = cb;
    io->aux = aux;
    io->event = event_new(loop->base, fd, 0, on_io, io);
    REQUIRE(io->event);
    loop_io_set(io, events);
    return io;
}

void
loop_io_set(struct loop_io *io, unsigned events)
{
    if (events == io->events) {
        return;
    }
    io->events = events;
    event_del(io->event);
    if (events) {
        short what = (events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0) | (events & LOOP_GONE ? EV_CLOSED : 0);
        REQUIRE(!event_assign(io->event, io->loop->base, io->fd, what | EV_PERSIST, on_io, io));
        REQUIRE(!event_add(io->event, NULL));
    }
}

void
loop_io_destroy(struct loop_io *io)
{
    if (io) {
        event_free(io->event);
        free(io);
    }
}

static void
on_timer(evutil_socket_t fd, short what, void *timer_)
{
    struct loop_timer *timer = timer_;

    if (timer->loop->follows_clock && clock_msec() < timer->due) {
        return;                /* loop_follow_clock() sees when its time has come. */
    }
    timer->due = INT64_MAX;
    timer->cb(timer->aux);
}

struct loop_timer *
loop_timer_create(struct loop *loop, void (*cb)(void *), void *aux)
{
    struct loop_timer *timer = XNEW(struct loop_timer);

    timer->loop = loop;
    timer->due = INT64_MAX;
    timer->cb = cb;
    timer->aux = aux;
    list_push_back(&loop->timers, &timer->node);
    timer->event = event_new(loop->base, -1, 0, on_timer, timer);
    REQUIRE(timer->event);
    return timer;
}

void
loop_timer_set(struct loop_timer *timer, int64_t delay_ms)
{
    struct timeval tv = msec_to_timeval(delay_ms);

    timer->due = clock_msec() + MAX(delay_ms, 0);
    event_add(timer->event, &tv);
}

void
loop_follow_clock(struct loop *loop)
{
    loop->follows_clock = true;
    LIST_FOR_EACH (timer, struct loop_timer, node, &loop->timers) {
        if (timer->due <= clock_msec()) {
            event_active(timer->event, EV_TIMEOUT, 1);
        }
    }
}

void
loop_timer_cancel(struct loop_timer *timer)
{
    timer->due = INT64_MAX;
    event_del(timer->event);
}

void
loop_timer_destroy(struct loop_timer *timer)
{
    if (timer) {
        event_free(timer->event);
        list_remove(&timer->node);
        free(timer);
    }
}
