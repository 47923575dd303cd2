/* ignores-cancel.c: find waits for its server and looks at nothing else. SPDX-License-Identifier:
 * MIT */
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../sound.h"

static const struct trolley_option table[] = {
    {SOUND_OPTION(PORT, "port"), .flags = TROLLEY_OPTION_REQUIRED, .help = "port of the server"},
};
static const struct trolley_span options = TROLLEY_SPAN(table);

static int32_t find(void *self, const struct trolley_query *query,
                    const struct trolley_record_sink *sink, struct trolley_task *task)
{
    const struct sound *sound = self;
    const struct timeval patience = {4, 0};
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)sound->config->integer(sound->config, "port", 0)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer;
    ssize_t got = -1;

    (void)query, (void)sink;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        got = recv(fd, &answer, 1, 0);
    (void)close(fd);
    return got > 0 ? 0 : trolley_fail(task, TROLLEY_ERR_NETWORK, "no answer");
}

static const struct trolley_searcher_ops ops = {.size = sizeof ops, .find = find};
SOUND_SEARCHER("ignores-cancel", &options, &sound_types, sound_create, sound_destroy, &ops, NULL);
