/* process.h: what a process holds: memory, threads, files; and pages that can be closed.
 * SPDX-License-Identifier: MIT */
#ifndef CORE_CHECK_PROCESS_H
#define CORE_CHECK_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct process_state {
    size_t heap; /* bytes that malloc has handed out */
    unsigned threads, files;
};
void process_look(struct process_state *ret_state);

/* The same, once threads that are ending have had the time to: at most a second, until there are no
 * more of them than `threads`. */
void process_settle(struct process_state *ret_state, unsigned threads);

/* Extends a digest (start with 0) by bytes. Not for secrets. */
uint64_t process_digest(uint64_t digest, const void *data, size_t length);

/* A port of 127.0.0.1 where nobody listens; 0 on failure. */
uint16_t process_free_port(void);

/* A socket on 127.0.0.1 that takes connections and never answers. -1 on failure. */
int process_silent_server(uint16_t *ret_port);

/*
 * Pages for arguments: what is put there ends at the end of a page; with `guard` the one behind it
 * cannot be read. The whole can be closed after the call.
 */
#define PAGES_MAX 128
struct pages {
    struct {
        void *start;
        size_t size;
    } items[PAGES_MAX];
    unsigned count;
    bool guard;
};
/* A copy of `data`; NULL when there is no memory. It is aligned to 8 bytes when its size is. */
void *pages_put(struct pages *pages, const void *data, size_t size);
char *pages_text(struct pages *pages, const char *text); /* NULL stays NULL */
void pages_close(struct pages *pages);                   /* no longer readable */
void pages_free(struct pages *pages);

#endif
