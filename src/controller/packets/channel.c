/* channel.c - a bounded queue between threads: a ring under a mutex, and an eventfd that wakes the receiver's loop.
 *
 * The eventfd is written when the ring was empty, and read before the ring is emptied: so a message is never left behind. The receiver takes
 * all there is at once and handles it without the mutex. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "controller/packets/packets.h"

struct channel {
    struct loop_io *io;
    int fd;
    void (*receive)(void *aux, const void *message);
    void *aux;
    size_t size, capacity;
    pthread_mutex_t lock;
    char *messages, *taken;            /* Capacity each; `messages` has the first n, under the lock. */
    size_t n;
};

static void
on_wake(void *ch_, unsigned events)
{
    struct channel *ch = ch_;
    uint64_t count;

    (void) !read(ch->fd, &count, sizeof count);
    pthread_mutex_lock(&ch->lock);
    char *messages = ch->messages;
    size_t n = ch->n;
    ch->messages = ch->taken;
    ch->taken = messages;
    ch->n = 0;
    pthread_mutex_unlock(&ch->lock);
    for (size_t i = 0; i < n; i++) {
        ch->receive(ch->aux, messages + i * ch->size);
    }
}

struct channel *
channel_create(struct loop *loop, size_t size, size_t capacity, void (*receive)(void *, const void *), void *aux)
{
    struct channel *ch = XNEW(struct channel);

    *ch = (struct channel) { .size = size, .capacity = capacity, .receive = receive, .aux = aux, .lock = PTHREAD_MUTEX_INITIALIZER };
    ch->messages = xcalloc(capacity, size);
    ch->taken = xcalloc(capacity, size);
    ch->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (ch->fd < 0) {
        panic("cannot create an eventfd");
    }
    ch->io = loop_io_create(loop, ch->fd, LOOP_READ, on_wake, ch);
    return ch;
}

void
channel_destroy(struct channel *ch)
{
    if (ch) {
        loop_io_destroy(ch->io);
        close(ch->fd);
        pthread_mutex_destroy(&ch->lock);
        free(ch->messages);
        free(ch->taken);
        free(ch);
    }
}

bool
channel_send(struct channel *ch, const void *message)
{
    pthread_mutex_lock(&ch->lock);
    bool room = ch->n < ch->capacity, was_empty = !ch->n;
    if (room) {
        memcpy(ch->messages + ch->n++ * ch->size, message, ch->size);
    }
    pthread_mutex_unlock(&ch->lock);
    if (room && was_empty) {
        (void) !write(ch->fd, &(uint64_t) { 1 }, sizeof(uint64_t));
    }
    return room;
}
