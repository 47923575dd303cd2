/*
 * A DIMSE peer of any bytes, below DCMTK: what it sends to a C-ECHO, C-FIND, C-GET or C-MOVE of
 * ours, or to the storage SCP. The first byte picks which, and whether the association is made
 * properly first; then come records of what the peer sends: a kind, a length (two bytes, little
 * endian), that many bytes. SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kit/text.h"
#include "kit/uid.h"
#include "plugins/dataset/record.h"
#include "plugins/dimse/association.h"
#include "plugins/dimse/channel.h"
#include "plugins/dimse/group.h"
#include "plugins/dimse/listener.h"

#define INPUT_MAX 60000 /* what a pair of sockets holds without a reader */
#define CT "1.2.840.10008.5.1.4.1.1.2"
#define EXPLICIT_LITTLE "1.2.840.10008.1.2.1"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

enum play { PLAY_ECHO, PLAY_FIND, PLAY_GET, PLAY_MOVE, PLAY_LISTENER, PLAYS };
enum record_kind { RECORD_RAW, RECORD_COMMAND, RECORD_DATA_LAST, RECORD_DATA, RECORD_KINDS };

/* ---- the host's side ---- */

static void take_log(const struct trolley_host *host, uint32_t level, const char *component,
                     const char *message)
{
    (void)host;
    if (level > TROLLEY_LOG_DEBUG || !*component || strlen(message) > 512) abort();
}

static int32_t never_cancelled(struct trolley_task *task)
{
    (void)task;
    return 0;
}

static void take_failure(struct trolley_task *task, const struct trolley_failure *failure)
{
    (void)task;
    if (failure->status >= 0 || !failure->message || !*failure->message) abort();
}

static void take_note(struct trolley_task *task, uint32_t severity, int32_t code,
                      const struct trolley_ref *ref, const char *message)
{
    (void)task;
    (void)code;
    if (!severity || !*message || (ref && !ref->study)) abort();
}

static struct trolley_task task = {
    .size = sizeof task,
    .cancelled = never_cancelled,
    .fail = take_failure,
    .note = take_note,
};
static const struct trolley_host host = {.size = sizeof host, .log = take_log};
static const struct trolley_config config = {.size = sizeof config, .section = "fuzz"};
static const struct dimse_settings settings = {
    .host_services = &host,
    .config = &config,
    .host = "peer",
    .calling_ae = "TROLLEY",
    .called_ae = "PEER",
    .acse_ms = 100,
    .dimse_ms = 100,
    .connect_ms = 100,
    .max_pdu = 16384,
    .port = 104,
};

/* ---- the sink: every item ends once, begins with a preamble, and has a UID that is one ---- */

struct item {
    uint8_t head[132];
    uint64_t length;
};
static unsigned open_items;

static int32_t item_begin(void *ctx, const struct trolley_meta *meta, void **item)
{
    (void)ctx;
    if (!kit_uid_valid(meta->instance) || !kit_uid_valid(meta->sop_class) || !meta->transfer_syntax)
        abort();
    *item = calloc(1, sizeof(struct item));
    if (!*item) return TROLLEY_ERR_NOMEM;
    open_items++;
    return 0;
}

static int32_t item_write(void *of, const void *data, uint64_t length)
{
    struct item *item = of;
    uint64_t room = item->length < sizeof item->head ? sizeof item->head - item->length : 0;

    memcpy(item->head + sizeof item->head - room, data, length < room ? length : room);
    item->length += length;
    /* Some stores fail. */
    return item->length > 3000 ? TROLLEY_ERR_NO_SPACE : 0;
}

static int32_t item_end(void *of, const struct trolley_failure *failure)
{
    struct item *item = of;

    if (item->length < 132 || memcmp(item->head + 128, "DICM", 4) != 0) abort();
    if (failure && failure->status >= 0) abort();
    open_items--;
    free(item);
    return failure ? failure->status : 0;
}

static int32_t item_failed(void *ctx, const struct trolley_ref *ref,
                           const struct trolley_failure *failure)
{
    (void)ctx;
    if (failure->status >= 0 || (ref->instance && !kit_uid_valid(ref->instance))) abort();
    return 0;
}

static const struct trolley_dataset_sink sink = {
    .begin = item_begin,
    .write = item_write,
    .end = item_end,
    .failed = item_failed,
};

/* ---- what the peer sends ---- */

struct script {
    uint8_t bytes[2 * INPUT_MAX];
    size_t length;
};

static void put(struct script *script, const void *data, size_t length)
{
    if (length > sizeof script->bytes - script->length) return;
    memcpy(script->bytes + script->length, data, length);
    script->length += length;
}

static void put_number(struct script *script, uint32_t number, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        uint8_t byte = (uint8_t)(number >> (8 * i));

        put(script, &byte, 1);
    }
}

static void put_item(struct script *script, uint8_t kind, const char *text)
{
    put_number(script, (uint32_t)kind << 8, 2);
    put_number(script, (uint32_t)strlen(text), 2);
    put(script, text, strlen(text));
}

/* An A-ASSOCIATE-AC [PS3.8 9.3.3] for contexts 1 and 3, or the -RQ of a sender. */
static void put_associate(struct script *script, bool accept)
{
    struct script body = {.length = 0};

    put_number(&body, 1, 2);
    put_number(&body, 0, 2);
    put(&body, accept ? "PEER            TROLLEY         " : "TROLLEY         PEER            ",
        32);
    for (int i = 0; i < 8; i++)
        put_number(&body, 0, 4);
    put_item(&body, 0x10, "1.2.840.10008.3.1.1.1");
    for (int number = 1; number <= 3; number += 2) {
        put_number(&body, accept ? 0x2100 : 0x2000, 2);
        put_number(&body, accept ? 4 + 4 + 19 : 4 + 4 + 25 + 4 + 19, 2);
        put_number(&body, (uint32_t)number << 24, 4);
        if (!accept) put_item(&body, 0x30, CT);
        put_item(&body, 0x40, EXPLICIT_LITTLE);
    }
    put_number(&body, 0x5000, 2);
    put_number(&body, 8 + 11 + (accept ? 4 + 4 + 25 : 0), 2);
    put_number(&body, 0x51000004, 4);
    put_number(&body, 16384, 4);
    put_item(&body, 0x52, "1.2.3.4");
    if (accept) {
        put_number(&body, 0x5400001d, 4); /* we are an SCP of storage here */
        put_number(&body, 25, 2);
        put(&body, CT, 25);
        put_number(&body, 0x0001, 2);
    }
    put_number(script, accept ? 0x0200 : 0x0100, 2);
    put_number(script, (uint32_t)body.length, 4);
    put(script, body.bytes, body.length);
}

static void put_fragment(struct script *script, uint8_t context, uint8_t flags, const void *data,
                         size_t length)
{
    put_number(script, 0x0400, 2);
    put_number(script, (uint32_t)length + 6, 4);
    put_number(script, (uint32_t)length + 2, 4);
    put(script, &context, 1);
    put(script, &flags, 1);
    put(script, data, length);
}

static void put_records(struct script *script, const uint8_t *data, size_t length)
{
    static const uint8_t flags[RECORD_KINDS] = {0, 3, 2, 0};

    while (length >= 3) {
        uint8_t kind = data[0] % RECORD_KINDS, context = data[0] & 0x80 ? 3 : 1;
        size_t size = data[1] | (size_t)data[2] << 8;

        data += 3;
        length -= 3;
        if (size > length) size = length;
        if (kind == RECORD_RAW)
            put(script, data, size);
        else
            put_fragment(script, context, flags[kind], data, size);
        data += size;
        length -= size;
    }
}

/* A channel whose other end has said all that is in the script, and reads nothing. */
static struct channel *channel_of(const struct script *script, int *ret_peer)
{
    int pair[2], size = 1 << 20;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) abort();
    for (int i = 0; i < 2; i++)
        (void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (send(pair[1], script->bytes, script->length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
        script->length)
        abort();
    (void)shutdown(pair[1], SHUT_WR);
    *ret_peer = pair[1];
    return channel_adopt(pair[0]);
}

/* ---- the operations ---- */

static int take_answer(void *ctx, struct find_answer *answer)
{
    struct record *record = ctx;

    if (find_answer_size(answer) == 0) abort();
    (void)find_answer_text(answer, 0x0020000D);
    record_reset(record);
    if (find_answer_elements(answer, record) == 0)
        for (uint32_t i = 0; i < record->count; i++)
            for (uint32_t k = 0; k < record->lists[i].count; k++) {
                const char *text = record->lists[i].items[k];

                if (text && !kit_text_utf8_valid(text, strlen(text))) abort();
            }
    find_answer_free(answer);
    return 0;
}

static void play_find(struct association *association)
{
    static const struct find_key keys[] = {{0x0020000D, NULL, "UI", ""},
                                           {0x00100010, NULL, "PN", "A*"}};
    const struct find_request request = {UID_STUDY_ROOT_FIND, "STUDY", keys, 2, 20};
    struct record *record = calloc(1, sizeof *record);

    if (!record) return;
    (void)association_find(association, &request, "", take_answer, record);
    record_reset(record);
    free(record);
}

static const struct trolley_ref refs[] = {{.size = sizeof(struct trolley_ref),
                                           .level = TROLLEY_LEVEL_SERIES,
                                           .study = "1.2.3",
                                           .series = "1.2.3.4"}};

static void play_retrieve(struct association *association, bool move)
{
    const struct trolley_span span = {refs, 1, sizeof refs[0]};
    struct group *group = malloc(sizeof *group);
    struct retrieve_result result;
    bool done[1] = {false};

    if (!group || group_next(&span, done, group) != 1) abort();
    const struct retrieve_request request = {
        .destination = move ? "TROLLEY" : NULL,
        .message_id = 1,
        .refs = group->items,
        .count = group->count,
        .sink = &sink,
        .failed = group_failed,
        .ctx = group,
    };
    if (association_retrieve(association, &request, &result) == 0)
        (void)group_report(group, &result, move ? "C-MOVE" : "C-GET", "", &sink, &task);
    group_free(group);
    free(group);
}

static void play_client(enum play play, struct channel *channel)
{
    static const char *const models[] = {UID_VERIFICATION, UID_STUDY_ROOT_FIND, UID_STUDY_ROOT_GET,
                                         UID_STUDY_ROOT_MOVE};
    const struct dimse_context contexts[] = {
        {models[play], EXPLICIT_LITTLE, false, play == PLAY_FIND},
        {CT, EXPLICIT_LITTLE, true, false}};
    struct association *association;

    if (association_start(&settings, channel, contexts, 2, &task, &association) < 0) return;
    if (play == PLAY_ECHO) (void)association_echo(association);
    if (play == PLAY_FIND) play_find(association);
    if (play == PLAY_GET || play == PLAY_MOVE) play_retrieve(association, play == PLAY_MOVE);
    association_close(association);
}

static void play_listener(struct listener *listener, struct channel *channel)
{
    const struct listener_settings own = {.common = settings, .ae_title = "TROLLEY"};
    struct move *move;
    uint16_t message_id;

    if (moves_expect(listener_moves(listener), refs, 1, &sink, &task, &move, &message_id) < 0)
        abort();
    listener_serve(listener, &own, NULL, channel);
    moves_forget(move);
}

/* Its own socket is not used: a listener is needed for what it remembers. */
static struct listener *start(void)
{
    const struct listener_settings own = {
        .common = settings, .ae_title = "TROLLEY", .address = "127.0.0.1"};
    struct listener *listener;

    if (!association_ready() || listener_start(&own, &task, &listener) < 0) abort();
    return listener;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static struct listener *listener;
    static struct script script;
    struct channel *channel;
    enum play play;
    int peer;

    if (length == 0 || length > INPUT_MAX) return 0;
    if (!listener) listener = start();
    play = data[0] % PLAYS;
    script.length = 0;
    if (data[0] < 0x80) put_associate(&script, play != PLAY_LISTENER);
    put_records(&script, data + 1, length - 1);
    channel = channel_of(&script, &peer);
    if (!channel) abort();
    if (play == PLAY_LISTENER)
        play_listener(listener, channel);
    else
        play_client(play, channel);
    (void)close(peer);
    if (open_items) abort();
    return 0;
}
