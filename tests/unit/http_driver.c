/*
 * http_driver: sends requests through the HTTP module as a plugin would, with a session whose keys
 * are given on the command line, and prints what came of each as `name: value` lines.
 * SPDX-License-Identifier: MIT
 */
#include <dlfcn.h>
#include <errno.h>
#include <kit/buffer.h>
#include <kit/digest.h>
#include <kit/text.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "core/transfer/transfer.h"

#define DRIVER_MAX 64 /* keys, headers, URLs, threads */
#define USAGE                                                                                 \
    "http_driver [options] MODULE key=value... URL...\n"                                      \
    "  -m METHOD  -H 'Name: value'  -d BODY  -D document  -E error bodies  -o print bodies\n" \
    "  -n TIMES each URL  -t THREADS, a door each  -w MS between requests\n"                  \
    "  -c MS until cancelled  -T MS until the deadline  -s BYTES then the handler refuses\n"

struct options {
    const char *method, *body, *module;
    const char *keys[DRIVER_MAX], *urls[DRIVER_MAX];
    struct trolley_http_header headers[DRIVER_MAX];
    uint32_t key_count, url_count, header_count, flags;
    long times, threads, wait_ms, cancel_ms, deadline_ms, stop_after;
    bool show;
};
static struct options options = {.times = 1, .threads = 1, .stop_after = -1};

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- a configuration made of key=value; numbers are plain, durations milliseconds ---- */

static const char *config_nth(const char *key, uint32_t n)
{
    size_t length = strlen(key);

    for (uint32_t i = 0; i < options.key_count; i++)
        if (strncmp(options.keys[i], key, length) == 0 && options.keys[i][length] == '=' &&
            n-- == 0)
            return options.keys[i] + length + 1;
    return NULL;
}

static const char *config_text(const struct trolley_config *config, const char *key)
{
    (void)config;
    return config_nth(key, 0);
}

static int64_t config_integer(const struct trolley_config *config, const char *key,
                              int64_t fallback)
{
    const char *text = config_text(config, key);

    return text ? strtoll(text, NULL, 10) : fallback;
}

static struct trolley_span config_list(const struct trolley_config *config, const char *key)
{
    static _Thread_local const char *values[DRIVER_MAX];
    uint32_t count = 0;

    (void)config;
    while (count < DRIVER_MAX && (values[count] = config_nth(key, count)))
        count++;
    return (struct trolley_span){values, count, sizeof values[0]};
}

/* password; after a refusal password_new, as if a command had been run again. */
static int32_t config_secret(const struct trolley_config *config, const char *key, int32_t refresh,
                             const struct trolley_secret_sink *sink, struct trolley_task *task)
{
    const char *fresh = refresh ? config_nth("password_new", 0) : NULL;
    const char *text = fresh ? fresh : config_text(config, key);

    (void)task;
    return text ? sink->secret(sink->ctx, text, strlen(text)) : TROLLEY_ERR_NOT_FOUND;
}

static const struct trolley_config driver_config = {
    .size = sizeof driver_config,
    .section = "driver",
    .text = config_text,
    .integer = config_integer,
    .list = config_list,
    .secret = config_secret,
};

/* ---- auth = token: X-Token is the body of `POST login_url` ---- */

static char auth_token[256];

static int32_t token_prepare(void *self, struct trolley_auth_request *request,
                             const struct trolley_auth_http *http, struct trolley_task *task)
{
    int32_t r = 0;

    (void)self;
    (void)http;
    (void)task;
    if (*auth_token) r = request->set_header(request, "X-Token", auth_token);
    if (r == 0 && config_nth("token_query", 0))
        r = request->add_query(request, config_nth("token_query", 0), "a b&c");
    return r;
}

static int32_t token_body(void *ctx, const void *data, uint64_t length)
{
    size_t have = strlen(auth_token);

    (void)ctx;
    if (length >= sizeof auth_token - have) return TROLLEY_ERR_TOO_LARGE;
    memcpy(auth_token + have, data, length);
    auth_token[have + length] = '\0';
    return 0;
}

static int32_t token_head(void *ctx, const struct trolley_http_response *response)
{
    *(int32_t *)ctx = response->status;
    return 0;
}

static int32_t token_challenge(void *self, const struct trolley_auth_response *response,
                               const struct trolley_auth_http *http, struct trolley_task *task)
{
    int32_t status = 0;
    const struct trolley_http_handler handler = {&status, token_head, token_body};
    const struct trolley_http_request request = {
        .size = sizeof request, .method = "POST", .url = config_nth("login_url", 0)};
    int32_t r;

    (void)self;
    if (response->status == 403) return TROLLEY_ERR_UNSUPPORTED;
    if (response->status == 200 && !memmem(response->body, response->body_length, "log in", 6))
        return TROLLEY_ERR_UNSUPPORTED;
    auth_token[0] = '\0';
    r = http->send(http, &request, &handler, task);
    if (r < 0) return r;
    if (status == 200) return 0;
    return trolley_fail(task, TROLLEY_ERR_AUTH, "token: log-in refused with %d", (int)status);
}

static const struct trolley_auth_ops token_ops = {
    .size = sizeof token_ops, .prepare = token_prepare, .challenge = token_challenge};

/* ---- auth = chosen: the scheme that the key `scheme` names, for the first `lent` requests ---- */

static int32_t chosen_prepare(void *self, struct trolley_auth_request *request,
                              const struct trolley_auth_http *http, struct trolley_task *task)
{
    static atomic_long prepared;
    const char *lent = config_nth("lent", 0);
    int32_t r;

    (void)self;
    (void)http;
    if (lent && atomic_fetch_add(&prepared, 1) >= strtol(lent, NULL, 10)) return 0;
    r = request->set_scheme(request, config_nth("scheme", 0), config_nth("user", 0),
                            config_nth("password", 0));
    return r < 0 ? trolley_fail(task, r, "chosen: scheme refused") : 0;
}

static const struct trolley_auth_ops chosen_ops = {.size = sizeof chosen_ops,
                                                   .prepare = chosen_prepare};

static const struct trolley_auth_ops *driver_auth(const char *name)
{
    if (name && strcmp(name, "token") == 0) return &token_ops;
    return name && strcmp(name, "chosen") == 0 ? &chosen_ops : NULL;
}

/* ---- the host ---- */

static void host_log(const struct trolley_host *host, uint32_t level, const char *component,
                     const char *message)
{
    (void)host;
    (void)fprintf(stderr, "%u %s: %s\n", (unsigned)level, component, message);
}

static const struct trolley_host driver_host = {.size = sizeof driver_host, .log = host_log};

static int32_t driver_session(const struct trolley_host *host, const struct trolley_config *config,
                              struct transfer_session_info *ret_info, struct trolley_task *task)
{
    const char *auth = config_nth("auth", 0), *name = config_nth("name", 0);

    (void)host;
    (void)task;
    *ret_info = (struct transfer_session_info){
        .name = name ? name : "pacs",
        .key = &options,
        .config = config,
        .auth = driver_auth(auth),
        .log_phi = config_integer(config, "log_phi", 0) != 0,
    };
    return 0;
}

static const char *driver_home(const struct trolley_config *config, uint32_t i)
{
    (void)config;
    return config_nth("home", i);
}

static const struct transfer_host driver_transfer_host = {driver_session, driver_home};

/* ---- one thread: its door, its task, what it saw ---- */

struct driver {
    const struct trolley_http_service *service;
    struct trolley_task task;
    int64_t started;
    struct kit_buffer out; /* what is printed at the end */
    struct kit_buffer body;
    struct kit_digest *hash;
    uint64_t bytes, pieces;
    uint32_t heads;
};

static void say(struct driver *driver, const char *name, const char *text)
{
    (void)kit_buffer_printf(&driver->out, "%s: ", name);
    (void)kit_text_escape(&driver->out, text, strlen(text));
    (void)kit_buffer_text(&driver->out, "\n");
}

static void say_number(struct driver *driver, const char *name, int64_t number)
{
    (void)kit_buffer_printf(&driver->out, "%s: %lld\n", name, (long long)number);
}

static int32_t task_cancelled(struct trolley_task *task)
{
    const struct driver *driver = task->impl;

    return options.cancel_ms && now_ms() - driver->started >= options.cancel_ms;
}

static int64_t task_remaining(struct trolley_task *task)
{
    const struct driver *driver = task->impl;
    int64_t left = options.deadline_ms - (now_ms() - driver->started);

    if (!options.deadline_ms) return -1;
    return left > 0 ? left : 0;
}

static void task_fail(struct trolley_task *task, const struct trolley_failure *failure)
{
    struct driver *driver = task->impl;

    say_number(driver, "failure", failure->status);
    say_number(driver, "code", failure->code);
    say_number(driver, "flags", failure->flags);
    say_number(driver, "failure_retry_after", (int64_t)failure->retry_after_ms);
    say(driver, "message", failure->message);
}

static void task_note(struct trolley_task *task, uint32_t severity, int32_t code,
                      const struct trolley_ref *ref, const char *message)
{
    (void)severity;
    (void)code;
    (void)ref;
    say(task->impl, "note", message);
}

static int32_t on_head(void *ctx, const struct trolley_http_response *response)
{
    struct driver *driver = ctx;

    driver->heads++;
    say_number(driver, "status", response->status);
    say(driver, "url", response->url);
    say(driver, "content_type", response->content_type);
    say_number(driver, "content_length", response->content_length);
    say_number(driver, "retry_after", (int64_t)response->retry_after_ms);
    for (uint32_t i = 0; i < response->headers.count; i++) {
        const struct trolley_http_header *header = trolley_span_at(&response->headers, i);

        (void)kit_buffer_printf(&driver->out, "header %s", header->name);
        say(driver, "", header->value);
    }
    return 0;
}

static int32_t on_body(void *ctx, const void *data, uint64_t length)
{
    struct driver *driver = ctx;

    driver->pieces++;
    driver->bytes += length;
    kit_digest_update(driver->hash, data, length);
    if (options.show) (void)kit_buffer_append(&driver->body, data, length);
    if (options.stop_after >= 0 && driver->bytes > (uint64_t)options.stop_after)
        return TROLLEY_ERR_NO_SPACE;
    return 0;
}

static void say_hash(struct driver *driver)
{
    char hex[KIT_DIGEST_HEX_SIZE];

    (void)kit_buffer_printf(&driver->out, "sha256: %s\n", kit_digest_hex(driver->hash, hex));
}

static void send_one(struct driver *driver, struct trolley_http_session *door, const char *url)
{
    const struct trolley_http_handler handler = {driver, on_head, on_body};
    const struct trolley_http_request request = {
        .size = sizeof request,
        .flags = options.flags,
        .method = options.method,
        .url = url,
        .headers = {options.headers, options.header_count, sizeof options.headers[0]},
        .body = options.body,
        .body_length = options.body ? strlen(options.body) : 0,
    };
    int32_t r;

    driver->bytes = driver->pieces = 0;
    driver->heads = 0;
    kit_buffer_reset(&driver->body);
    driver->started = now_ms();
    r = driver->service->request(door, &request, &handler, &driver->task);
    say_number(driver, "result", r);
    say_number(driver, "ms", now_ms() - driver->started);
    say_number(driver, "heads", driver->heads);
    say_number(driver, "bytes", (int64_t)driver->bytes);
    say_hash(driver);
    if (driver->body.length) say(driver, "body", driver->body.data);
    (void)kit_buffer_text(&driver->out, "\n");
}

/* No door is closed before all are open: they share one session, as a run's workers do. */
static pthread_barrier_t all_open;

static void *driver_run(void *ctx)
{
    struct driver *driver = ctx;
    struct trolley_http_session *door = NULL;
    int32_t r = driver->service->open(&driver_host, &driver_config, &driver->task, &door);

    (void)pthread_barrier_wait(&all_open);
    if (r < 0) {
        say_number(driver, "open", r);
        (void)kit_buffer_text(&driver->out, "\n");
        return NULL;
    }
    for (uint32_t i = 0; i < options.url_count; i++)
        for (long n = 0; n < options.times; n++) {
            if ((i || n) && options.wait_ms) (void)usleep((useconds_t)options.wait_ms * 1000);
            send_one(driver, door, options.urls[i]);
        }
    driver->service->close(door);
    return NULL;
}

static void driver_init(struct driver *driver, const struct trolley_http_service *service)
{
    driver->service = service;
    driver->hash = kit_digest_new();
    driver->task = (struct trolley_task){
        .size = sizeof driver->task,
        .impl = driver,
        .cancelled = task_cancelled,
        .remaining_ms = task_remaining,
        .fail = task_fail,
        .note = task_note,
    };
}

static int run(const struct trolley_http_service *service)
{
    static struct driver drivers[DRIVER_MAX];
    static pthread_t threads[DRIVER_MAX];
    long count = options.threads;

    if (pthread_barrier_init(&all_open, NULL, (unsigned)count)) return 1;
    for (long i = 0; i < count; i++) {
        driver_init(&drivers[i], service);
        if (pthread_create(&threads[i], NULL, driver_run, &drivers[i])) return 1;
    }
    for (long i = 0; i < count; i++) {
        (void)pthread_join(threads[i], NULL);
        if (drivers[i].out.data) (void)fputs(drivers[i].out.data, stdout);
        kit_buffer_free(&drivers[i].out);
        kit_buffer_free(&drivers[i].body);
        kit_digest_free(drivers[i].hash);
    }
    return 0;
}

static int add_header(char *line)
{
    char *colon = strchr(line, ':');

    if (!colon || options.header_count == DRIVER_MAX) return -1;
    *colon = '\0';
    options.headers[options.header_count++] =
        (struct trolley_http_header){line, colon + 1 + strspn(colon + 1, " ")};
    return 0;
}

static int read_option(int letter, char *value)
{
    static const struct {
        int letter;
        long *number;
    } numbers[] = {{'n', &options.times},       {'t', &options.threads},
                   {'w', &options.wait_ms},     {'c', &options.cancel_ms},
                   {'T', &options.deadline_ms}, {'s', &options.stop_after}};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].letter != letter) continue;
        *numbers[i].number = strtol(value, NULL, 10);
        return 0;
    }
    switch (letter) {
    case 'm':
        options.method = value;
        return 0;
    case 'd':
        options.body = value;
        return 0;
    case 'D':
        options.flags |= TROLLEY_HTTP_DOCUMENT;
        return 0;
    case 'E':
        options.flags |= TROLLEY_HTTP_ERROR_BODY;
        return 0;
    case 'o':
        options.show = true;
        return 0;
    case 'H':
        return add_header(value);
    default:
        return -1;
    }
}

static int read_arguments(int argc, char **argv)
{
    int letter;

    while ((letter = getopt(argc, argv, "m:d:DEon:t:w:c:T:s:H:")) != -1)
        if (read_option(letter, optarg) < 0) return -1;
    if (optind == argc || options.threads < 1 || options.threads > DRIVER_MAX) return -1;
    options.module = argv[optind++];
    for (; optind < argc; optind++) {
        bool url = strncmp(argv[optind], "http", 4) == 0 && strstr(argv[optind], "://") &&
                   strcspn(argv[optind], "=") > strcspn(argv[optind], ":");

        if (options.url_count == DRIVER_MAX || options.key_count == DRIVER_MAX) return -1;
        if (url || !strchr(argv[optind], '='))
            options.urls[options.url_count++] = argv[optind];
        else
            options.keys[options.key_count++] = argv[optind];
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct trolley_http_service *(*entry)(const struct transfer_host *) = NULL;
    void *module, *symbol;

    if (read_arguments(argc, argv) < 0) {
        (void)fputs(USAGE, stderr);
        return 2;
    }
    module = dlopen(options.module, RTLD_NOW | RTLD_LOCAL);
    symbol = module ? dlsym(module, "trolley_transfer_module") : NULL;
    if (!symbol) {
        (void)fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    memcpy(&entry, &symbol, sizeof entry);
    return run(entry(&driver_transfer_host));
}
