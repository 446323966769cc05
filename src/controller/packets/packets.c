/* packets.c - the thread that serves punted packets: its life, its connection, its channels. See packets.h. */
#include "controller/packets/packets.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "controller/controller.h"
#include "openflow/action.h"

LOG_MODULE(packets);

enum { MAX_COMMANDS = 16, MAX_LEARNT = 1024 };

/* From the main thread. */
struct command {
    enum { COMMAND_STOP, COMMAND_CONNECT } kind;
    char *target;                      /* COMMAND_CONNECT: the receiver's to free; NULL: nowhere. */
    int64_t probe_interval;
};

struct packets {
    struct controller *c;
    struct channel *commands;          /* Main thread to packets. */
    struct channel *learnt;            /* Packets to main thread. */
    pthread_t thread;

    /* The main thread's. */
    struct memory *memory;
    char *target;                      /* Told to the thread. */
    int64_t probe_interval;

    /* The thread's. */
    struct loop *loop;
    struct of_switch *of;
    struct engine engine;
};

/* ---- in the thread ---- */

static void
on_command(void *p_, const void *message)
{
    struct packets *p = p_;
    const struct command *command = message;

    switch (command->kind) {
    case COMMAND_STOP:
        loop_stop(p->loop);
        break;
    case COMMAND_CONNECT:
        of_switch_set_probe_interval(p->of, command->probe_interval);
        of_switch_set_target(p->of, command->target);
        free(command->target);
        break;
    }
}

static void
on_packet_in(void *p_, const struct of_packet_in *in)
{
    struct packets *p = p_;

    engine_handle(&p->engine, in, clock_msec());
}

static void
send_packet(void *p_, const void *packet, size_t packet_len, const void *actions, size_t actions_len)
{
    struct packets *p = p_;

    of_switch_packet_out(p->of, OFPP_CONTROLLER_, packet, packet_len, actions, actions_len);
}

static void
resume_packet(void *p_, const struct of_packet_in *in)
{
    struct packets *p = p_;

    of_switch_resume(p->of, in, in->packet, in->packet_len, &in->metadata);
}

static bool
pass_on(void *p_, const struct learnt *l)
{
    struct packets *p = p_;

    return channel_send(p->learnt, l);
}

static void *
run(void *p_)
{
    struct packets *p = p_;

    log_set_subprogram("packets");
    loop_run(p->loop);
    return NULL;
}

/* ---- in the main thread ---- */

static void
on_learnt(void *p_, const void *message)
{
    struct packets *p = p_;

    memory_add(p->memory, message);
}

void
packets_create(struct controller *c)
{
    struct packets *p = c->packets = XNEW(struct packets);
    sigset_t all, before;

    p->c = c;
    p->memory = memory_create(c);
    p->loop = loop_create();
    p->of = of_switch_create(p->loop, NULL);
    of_switch_on_packet_in(p->of, on_packet_in, p);
    engine_init(&p->engine);
    p->engine.send = send_packet;
    p->engine.resume = resume_packet;
    p->engine.learnt = pass_on;
    p->engine.aux = p;
    p->commands = channel_create(p->loop, sizeof(struct command), MAX_COMMANDS, on_command, p);
    p->learnt = channel_create(c->loop, sizeof(struct learnt), MAX_LEARNT, on_learnt, p);

    sigfillset(&all);                  /* Signals are the main thread's. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&p->thread, NULL, run, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        panic("cannot start the thread for packets: %s", strerror(error));
    }
}

/* The thread talks to the switch that the flows go to. A command for which there is no room is tried again in the next cycle. */
static void
tell_target(struct packets *p)
{
    const char *target = of_switch_target(p->c->of);
    int64_t probe_interval = of_switch_probe_interval(p->c->of);

    if (probe_interval == p->probe_interval && (target && p->target ? str_eq(target, p->target) : target == p->target)) {
        return;
    }
    struct command command = { COMMAND_CONNECT, target ? xstrdup(target) : NULL, probe_interval };
    if (!channel_send(p->commands, &command)) {
        free(command.target);
        loop_wake(p->c->loop);
        return;
    }
    free(p->target);
    p->target = target ? xstrdup(target) : NULL;
    p->probe_interval = probe_interval;
}

void
packets_run(struct controller *c)
{
    tell_target(c->packets);
    memory_run(c->packets->memory);
}

void
packets_report_memory(const struct controller *c, struct str *out)
{
    str_printf(out, "learnt-waiting:%zu ", memory_count(c->packets->memory));
}

void
packets_destroy(struct controller *c)
{
    struct packets *p = c->packets;
    struct command stop = { .kind = COMMAND_STOP };

    while (!channel_send(p->commands, &stop)) {
        sched_yield();                 /* The thread empties it in no time. */
    }
    pthread_join(p->thread, NULL);
    channel_destroy(p->commands);
    channel_destroy(p->learnt);
    of_switch_destroy(p->of);
    engine_destroy(&p->engine);
    loop_destroy(p->loop);
    memory_destroy(p->memory);
    free(p->target);
    free(p);
}
