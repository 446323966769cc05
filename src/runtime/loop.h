/* loop.h - the event loop of a daemon or tool, over libevent.
 *
 * One thread, one loop. Callbacks note what arrived; when all that is ready was handled and before
 * the loop sleeps, it calls the *cycle* function: there a daemon computes and sends. So one cycle
 * sees everything that came together. */
#ifndef RUNTIME_LOOP_H
#define RUNTIME_LOOP_H 1

#include "base/util.h"

struct loop;
struct loop_io;
struct loop_timer;
struct event_base;

struct loop *loop_create(void);
void loop_destroy(struct loop *);
void loop_set_cycle(struct loop *, void (*cycle)(void *aux), void *aux);
/* Runs until loop_stop(). The cycle runs once before the first sleep. */
void loop_run(struct loop *);
void loop_stop(struct loop *);
/* One round: waits at most TIMEOUT_MS (-1: no limit) for something, handles it, runs the cycle. */
void loop_once(struct loop *, int64_t timeout_ms);
/* Another cycle without sleeping first. Callable from callbacks and the cycle. */
void loop_wake(struct loop *);
struct event_base *loop_base(struct loop *);
/* In the child, after fork(): the loop is the child's alone. */
void loop_after_fork(struct loop *);

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_GONE = 4 };      /* GONE: the peer of a stream has closed it. */
/* Watches FD, level triggered, for EVENTS. FD stays the caller's. */
struct loop_io *loop_io_create(struct loop *, int fd, unsigned events,
                               void (*cb)(void *aux, unsigned events), void *aux);
void loop_io_set(struct loop_io *, unsigned events);   /* 0: watch nothing for now. */
void loop_io_destroy(struct loop_io *);                /* NULL is ignored. */

/* After clock_stop() or clock_warp(): timers of this loop fire by that clock. */
void loop_follow_clock(struct loop *);
struct loop_timer *loop_timer_create(struct loop *, void (*cb)(void *aux), void *aux);
void loop_timer_set(struct loop_timer *, int64_t delay_ms);    /* One shot; again: set again. */
void loop_timer_cancel(struct loop_timer *);
void loop_timer_destroy(struct loop_timer *);          /* NULL is ignored. */

#endif
