/* packets.h - what the switch punts to us: between the files of packets/.
 *
 *   packets.c     the thread, its connection to the switch, and its life
 *   engine.c      one packet: which operation, which handler; handlers.def is the table
 *   arp.c nd.c reject.c   packets made from packets
 *   learn.c       what a packet teaches (MAC addresses, neighbours), and how much of it we listen to
 *   remember.c    main thread: what was learnt goes to the southbound database
 *   channel.c     a bounded queue between two threads
 *
 *      switch ==packet-in==> engine --handler--> packet-out ==> switch             the thread "packets"
 *        commands: target ^      |
 *      - - - - - - - - - - -channel- - - - - - - - - - - - - - - - - - - - - - -
 *                         |      v learnt
 *                    packets_run: remember --transactions--> southbound database    the main thread
 *
 * The thread never waits for the main one, nor the other way round: a slow database delays no reply, and a flood of
 * packets no flow. It has its own event loop and its own connection to the bridge (openflow/switch.h, packets alone: OpenFlow's asynchronous configuration
 * gives packet-ins to that connection and to no other). It shares nothing with the main thread but the two channels and the log; what is the main
 * thread's alone (interned texts, recorded reads, the replicas) it does not touch. What a handler will need of the databases (DHCP options,
 * names) the main thread will publish as an immutable view, by command.
 *
 * Everything that grows is bounded: what is queued to the switch (openflow/), the channels, what waits for the database. What is dropped is counted: the counters
 * of the thread are packet_..., those of the main thread learnt_... in coverage/show. */
#ifndef CONTROLLER_PACKETS_PACKETS_H
#define CONTROLLER_PACKETS_PACKETS_H 1

#include "logical/opcode.h"
#include "net/eth.h"
#include "openflow/switch.h"
#include "runtime/metrics.h"

/* ---- engine.c ---- */

/* A packet-in of ours. */
struct punt {
    enum opcode opcode;
    struct eth_frame eth;
    const uint8_t *data;               /* After struct opcode_header. */
    size_t data_len;
    const struct of_match *metadata;
};
/* The value of a field of up to 64 bits: 0 if the packet-in does not tell. */
uint64_t punt_field(const struct punt *, enum of_field);

/* A MAC address behind a port, or of a neighbour. Padding is zero. */
enum learnt_kind { LEARNT_FDB = 1, LEARNT_NEIGHBOUR };
struct learnt {
    enum learnt_kind kind;
    uint32_t dp_key, port_key;
    struct eth_addr mac;
    struct ip_addr ip;                 /* LEARNT_NEIGHBOUR */
};

struct learn_filter;
struct engine {
    void (*send)(void *aux, const void *packet, size_t packet_len, const void *actions, size_t actions_len);
    void (*resume)(void *aux, const struct of_packet_in *);            /* As it is. */
    bool (*learnt)(void *aux, const struct learnt *);                  /* False: no room. */
    void *aux;
    struct learn_filter *filter;
    struct str packet, actions;        /* Kept from one packet to the next. */
    uint64_t warned;                   /* Operations that we do not know and have said so: a bit each. */
};
void engine_init(struct engine *);
void engine_destroy(struct engine *);
/* Does what a packet-in asks for. NOW: clock_msec(). Whatever is in it. */
void engine_handle(struct engine *, const struct of_packet_in *, int64_t now);

/* ---- handlers ---- */

/* A composer appends the packet that replaces the one punted; false: there is to be none. */
typedef bool punt_composer(const struct punt *, struct str *packet);
/* A learner says what the packet teaches; false: nothing. */
typedef bool punt_learner(const struct punt *, struct learnt *);
#define COMPOSE(OPCODE, NAME) punt_composer NAME##_compose;
#define LEARN(OPCODE, NAME) punt_learner NAME##_learn;
#include "controller/packets/handlers.def"
#undef COMPOSE
#undef LEARN

/* ---- learn.c ---- */

enum learn_verdict { LEARN_NEW, LEARN_REPEATED, LEARN_LIMITED };
struct learn_filter *learn_filter_create(void);
void learn_filter_destroy(struct learn_filter *);
/* Whether L should be passed on: not what was just passed on, and of each port only so many. */
enum learn_verdict learn_filter_judge(struct learn_filter *, const struct learnt *l, int64_t now) MUST_USE;
/* It was not passed on after all. */
void learn_filter_forget(struct learn_filter *, const struct learnt *l);

/* ---- remember.c: the main thread's ---- */

struct controller;
struct memory;
struct memory *memory_create(struct controller *);
void memory_destroy(struct memory *);
void memory_add(struct memory *, const struct learnt *);
void memory_run(struct memory *);      /* Sends what is due. */
size_t memory_count(const struct memory *);            /* What waits. */

/* ---- channel.c ---- */

/* A queue of messages of one size from any threads to the thread of LOOP. */
struct channel;
/* RECEIVE is called from LOOP for each message, in order. Created and destroyed while LOOP does not run, or from its thread. */
struct channel *channel_create(struct loop *, size_t message_size, size_t capacity, void (*receive)(void *aux, const void *message), void *aux);
void channel_destroy(struct channel *);                /* What is in it is lost. NULL is ignored. */
/* Copies MESSAGE. False if it is full. */
bool channel_send(struct channel *, const void *message) MUST_USE;

#endif
