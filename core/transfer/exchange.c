/*
 * One request on the wire and its answer: curl's callbacks, and what becomes of the body.
 * SPDX-License-Identifier: MIT
 */
#include <kit/text.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/transfer/session.h"

/* A value that is no UTF-8 is Latin-1 [RFC 9110 5.5]. */
static int head_append_value(struct kit_buffer *lines, const char *value, size_t length)
{
    int r = 0;

    if (kit_text_utf8_valid(value, length)) return kit_buffer_append(lines, value, length);
    for (size_t i = 0; i < length && r == 0; i++) {
        unsigned char byte = (unsigned char)value[i];
        char pair[2] = {(char)(0xc0 | byte >> 6), (char)(0x80 | (byte & 0x3f))};

        r = byte < 0x80 ? kit_buffer_append(lines, &value[i], 1)
                        : kit_buffer_append(lines, pair, 2);
    }
    return r;
}

static int head_append(struct transfer_exchange *x, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    const char *value = colon ? colon + 1 : NULL;
    size_t left = colon ? length - (size_t)(value - line) : 0;
    int r;

    if (!colon || !transfer_token_valid(line, (size_t)(colon - line))) return 0;
    while (left && (*value == ' ' || *value == '\t')) {
        value++;
        left--;
    }
    while (left && (value[left - 1] == ' ' || value[left - 1] == '\t'))
        left--;
    r = kit_buffer_append(&x->lines, line, (size_t)(colon - line));
    if (r == 0) r = kit_buffer_append(&x->lines, "", 1);
    if (r == 0) r = head_append_value(&x->lines, value, left);
    if (r == 0) r = kit_buffer_append(&x->lines, "", 1);
    if (r == 0) x->line_count++;
    return r;
}

/* Takes a line of an answer's head. Only the last head counts: 1xx and the scheme's own 401 come
 * before it, trailers after it. */
static size_t exchange_on_line(char *line, size_t size, size_t count, void *ctx)
{
    struct transfer_exchange *x = ctx;
    size_t length = size * count, text = length;
    int r = 0;

    while (text && (line[text - 1] == '\n' || line[text - 1] == '\r'))
        text--;
    x->head_bytes += length;
    if (x->began) return length;
    if (text >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        kit_buffer_reset(&x->lines);
        x->line_count = 0;
        x->head_open = true;
    } else if (!text) {
        x->head_open = false;
    } else if (x->head_open) {
        r = head_append(x, line, text);
    }
    if (r == 0) return length;
    if (r == TROLLEY_ERR_TOO_LARGE)
        r = transfer_outcome_say(x->job, r, 0, "the answer's head is larger than %zu bytes",
                                 TRANSFER_HEAD_MAX);
    x->stop = r;
    return 0;
}

static int exchange_list_headers(struct transfer_exchange *x)
{
    const char *text = x->lines.data;

    x->headers = calloc((size_t)x->line_count + 1, sizeof *x->headers);
    if (!x->headers) return TROLLEY_ERR_NOMEM;
    for (uint32_t i = 0; i < x->line_count; i++) {
        x->headers[i].name = text;
        text += strlen(text) + 1;
        x->headers[i].value = text;
        text += strlen(text) + 1;
    }
    x->response.headers = (struct trolley_span){x->headers, x->line_count, sizeof *x->headers};
    return 0;
}

const char *transfer_exchange_field(const struct transfer_exchange *x, const char *name)
{
    for (uint32_t i = 0; x->headers && i < x->line_count; i++)
        if (strcasecmp(x->headers[i].name, name) == 0) return x->headers[i].value;
    return NULL;
}

/* The announced length, where it is the length of what the handler gets. */
static int64_t exchange_length(const struct transfer_exchange *x)
{
    const char *encoding = transfer_exchange_field(x, "Content-Encoding");
    curl_off_t length = -1;

    if (encoding && *encoding && strcasecmp(encoding, "identity") != 0) return -1;
    if (curl_easy_getinfo(x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length)) return -1;
    return (int64_t)length;
}

static int exchange_choose_decoder(struct transfer_exchange *x)
{
    const char *coding = transfer_exchange_field(x, "Content-Encoding");
    int r = coding ? transfer_decoder_new(coding, &x->decoder) : 0;

    if (r != TROLLEY_ERR_PROTOCOL) return r;
    if (transfer_outcome_status(x->response.status) < 0) return 0; /* that matters more */
    return transfer_outcome_say(x->job, r, x->response.status,
                                "the answer is coded as %.40s, which was not asked for", coding);
}

static int exchange_fill_response(struct transfer_exchange *x)
{
    const char *type;
    curl_off_t after = 0;
    long code = 0;
    int r = exchange_list_headers(x);

    if (r < 0) return r;
    (void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &code);
    (void)curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &after);
    if (after < 0) after = 0;
    type = transfer_exchange_field(x, "Content-Type");
    x->response.size = sizeof x->response;
    x->response.status = (int32_t)code;
    x->response.url = x->job->url;
    x->response.content_type = type ? type : "";
    x->response.retry_after_ms = (uint64_t)(after < 86400 ? after : 86400) * 1000;
    x->response.content_length = exchange_length(x);
    return 0;
}

/* A server's remark goes into the report, once and not with every page of an answer. */
static int exchange_note_warning(const struct transfer_exchange *x, const char *text)
{
    struct trolley_http_session *door = x->job->door;
    struct kit_buffer line = {0}, safe = {0};
    int r;

    if (strncmp(door->warning, text, sizeof door->warning - 1) == 0) return 0;
    (void)snprintf(door->warning, sizeof door->warning, "%s", text);
    r = transfer_url_describe(&line, x->job->url, transfer_job_tells(x->job));
    if (r == 0) r = kit_buffer_printf(&line, ": Warning: %.300s", text);
    if (r == 0) r = kit_text_escape(&safe, line.data, line.length);
    if (r == 0)
        trolley_note(x->job->task, TROLLEY_LOG_WARNING, x->response.status, NULL, "%s", safe.data);
    kit_buffer_free(&line);
    kit_buffer_free(&safe);
    return r;
}

/* Warning fields [RFC 7234 5.5]; a few tell as much as many. */
static void exchange_note_warnings(const struct transfer_exchange *x)
{
    int left = 4;

    for (uint32_t i = 0; i < x->line_count && left; i++) {
        if (strcasecmp(x->headers[i].name, "Warning") != 0) continue;
        if (exchange_note_warning(x, x->headers[i].value) < 0) return;
        left--;
    }
}

/* The answer is final: the handler learns its head. Returns the mode, or the handler's refusal. */
static int exchange_show(struct transfer_exchange *x)
{
    const struct transfer_job *job = x->job;
    bool wanted = job->kind == TRANSFER_LOGIN || transfer_outcome_status(x->response.status) == 0 ||
                  (job->request.flags & TROLLEY_HTTP_ERROR_BODY);
    int32_t r = 0;

    exchange_note_warnings(x);
    if (job->handler.head) r = job->handler.head(job->handler.ctx, &x->response);
    if (r < 0) return r;
    return wanted ? TRANSFER_PASS : TRANSFER_WORDS;
}

/* At the first byte of the body, or at the end of an answer without one. */
static int exchange_begin(struct transfer_exchange *x)
{
    int r = exchange_fill_response(x);

    if (r == 0) r = exchange_choose_decoder(x);
    if (r < 0) return r;
    x->began = true;
    transfer_password_answered(x);
    if (transfer_redirect_due(x))
        r = TRANSFER_WORDS;
    else if (transfer_auth_concerns(x))
        r = TRANSFER_HOLD;
    else
        r = exchange_show(x);
    if (r < 0) return r;
    x->mode = (enum transfer_mode)r;
    return 0;
}

static int exchange_keep(struct transfer_exchange *x, const char *data, size_t length, size_t most)
{
    size_t room = most - x->kept.length;

    if (length > room) {
        x->cut = true;
        length = room;
    }
    return kit_buffer_append(&x->kept, data, length);
}

static int exchange_take(struct transfer_exchange *x, const char *data, size_t length)
{
    const struct transfer_job *job = x->job;
    bool error = transfer_outcome_status(x->response.status) != 0;
    int32_t r;

    if (x->mode == TRANSFER_PASS) {
        r = error ? exchange_keep(x, data, length, TRANSFER_WORDS_MAX) : 0;
        if (r == 0 && job->handler.body) r = job->handler.body(job->handler.ctx, data, length);
        return r < 0 ? r : 0;
    }
    if (x->decoded > TRANSFER_DRAIN_MAX) x->enough = true;
    return exchange_keep(x, data, length,
                         x->mode == TRANSFER_HOLD ? TRANSFER_HOLD_MAX : TRANSFER_WORDS_MAX);
}

static bool exchange_is_document(const struct transfer_exchange *x)
{
    if (x->mode != TRANSFER_PASS) return false; /* bounded otherwise */
    return x->job->kind == TRANSFER_LOGIN || (x->job->request.flags & TROLLEY_HTTP_DOCUMENT) ||
           transfer_outcome_status(x->response.status) != 0;
}

/* Takes decoded bytes. */
static int exchange_on_decoded(void *ctx, const char *data, size_t length)
{
    struct transfer_exchange *x = ctx;
    const struct transfer_session *session = x->job->door->session;
    uint64_t bound = session->max_document;

    x->decoded += length;
    if (bound && x->decoded > bound && exchange_is_document(x))
        return transfer_outcome_say(x->job, TROLLEY_ERR_TOO_LARGE, x->response.status,
                                    "the answer is larger than %llu bytes (max_document of "
                                    "[session %s])",
                                    (unsigned long long)bound, session->info.name);
    x->stop = exchange_take(x, data, length);
    return x->stop;
}

static int exchange_decode(struct transfer_exchange *x, const char *data, size_t length)
{
    int r = transfer_decode(x->decoder, data, length, exchange_on_decoded, x);

    if (r != TROLLEY_ERR_PROTOCOL || x->stop) return r;
    return transfer_outcome_say(x->job, r, x->response.status, "the answer is no valid %s",
                                transfer_exchange_field(x, "Content-Encoding"));
}

static size_t exchange_on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct transfer_exchange *x = ctx;
    struct transfer_session *session = x->job->door->session;
    size_t length = size * count;
    int r = 0;

    if (transfer_rate_wait_us(session)) {
        x->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    transfer_rate_pay(session, length);
    if (!x->began) r = exchange_begin(x);
    if (r == 0)
        r = x->decoder ? exchange_decode(x, data, length) : exchange_on_decoded(x, data, length);
    x->stop = r;
    return r == 0 && !x->enough ? length : 0;
}

static int exchange_set_method(struct transfer_exchange *x)
{
    const struct transfer_job *job = x->job;
    const char *method = job->method;
    bool head = strcmp(method, "HEAD") == 0, get = strcmp(method, "GET") == 0;
    curl_off_t length = job->send_body ? (curl_off_t)job->request.body_length : 0;
    CURL *easy = x->easy;
    int bad = (int)curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);

    bad |= (int)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    if (job->send_body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
        bad |= (int)curl_easy_setopt(easy, CURLOPT_POST, 1L);
        bad |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                                     job->send_body ? job->request.body : "");
        bad |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, length);
    } else if (head) {
        return bad | (int)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) |
               (int)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    }
    return bad | (int)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
                                       get && !job->send_body ? NULL : method);
}

static int exchange_set_version(struct transfer_exchange *x)
{
    const struct trolley_config *config = x->job->door->session->info.config;
    const char *text = config->text(config, "http_version");
    long version = CURL_HTTP_VERSION_2TLS;

    if (text && strcmp(text, "1.1") == 0) version = CURL_HTTP_VERSION_1_1;
    if (text && strcmp(text, "2") == 0 && strncasecmp(x->url, "http:", 5) == 0)
        version = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    return (int)curl_easy_setopt(x->easy, CURLOPT_HTTP_VERSION, version);
}

/* What a request to a stranger must not carry, whoever put it there. */
static bool exchange_is_private(const char *name)
{
    static const char *const names[] = {"Authorization", "Cookie", "Proxy-Authorization"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(names[i], name) == 0) return true;
    return false;
}

static int exchange_set_fields(struct transfer_exchange *x)
{
    const struct transfer_job *job = x->job;
    const struct trolley_config *config = job->door->session->info.config;
    struct trolley_span lines = {0};
    bool document = job->request.flags & TROLLEY_HTTP_DOCUMENT;
    int r =
        transfer_fields_set(&x->fields, "Accept-Encoding", document ? "gzip, deflate" : "identity");

    if (job->kind == TRANSFER_HOME) lines = config->list(config, "header");
    for (uint32_t i = 0; i < lines.count && r == 0; i++)
        r = transfer_fields_line(&x->fields, trolley_span_text(&lines, i));
    for (uint32_t i = 0; i < job->request.headers.count && r == 0; i++) {
        const struct trolley_http_header *header = trolley_span_at(&job->request.headers, i);
        bool of_body = strncasecmp(header->name, "Content-", 8) == 0;

        if (job->kind == TRANSFER_FOREIGN && exchange_is_private(header->name)) continue;
        if (of_body && job->request.body && !job->send_body) continue;
        r = transfer_fields_set(&x->fields, header->name, header->value);
    }
    return r;
}

/* curl's own habits that are switched off by a field without a value. */
static int exchange_add_blanks(struct transfer_exchange *x)
{
    static const char *const blanks[] = {"Expect:", "Content-Type:"};

    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
        struct curl_slist *list;

        if (i == 1 && transfer_fields_get(x->fields, "Content-Type")) continue;
        list = curl_slist_append(x->fields, blanks[i]);
        if (!list) return TROLLEY_ERR_NOMEM;
        x->fields = list;
    }
    return 0;
}

static int exchange_prepare(struct transfer_exchange *x)
{
    struct transfer_job *job = x->job;
    int r = transfer_door_easy(job->door, job->kind, &x->easy);

    if (r < 0)
        return transfer_outcome_say(job, r, 0, "TLS or proxy of [session %s] cannot be set up",
                                    job->door->session->info.name);
    x->lines.cap = TRANSFER_HEAD_MAX;
    x->url = strdup(job->url);
    if (!x->url) return TROLLEY_ERR_NOMEM;
    r = exchange_set_fields(x);
    if (r < 0) return transfer_outcome_say(job, r, 0, "a header field of the request is malformed");
    if (job->kind == TRANSFER_HOME) r = transfer_auth_prepare(x);
    if (r == 0) r = exchange_add_blanks(x);
    if (r < 0) return r;
    if (exchange_set_method(x) || exchange_set_version(x) ||
        curl_easy_setopt(x->easy, CURLOPT_URL, x->url) ||
        curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->fields) ||
        curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, exchange_on_line) ||
        curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x) ||
        curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, exchange_on_body) ||
        curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x))
        return TROLLEY_ERR_NOMEM;
    return 0;
}

/* Nothing of this exchange stays behind in the handle. */
static void exchange_detach(struct transfer_exchange *x)
{
    (void)curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, NULL);
    (void)curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, NULL);
    (void)curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, NULL);
    (void)curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, NULL);
}

int transfer_exchange_run(struct transfer_exchange *x)
{
    CURLcode result = CURLE_OK;
    int64_t start = transfer_now_us();
    int r = exchange_prepare(x);

    if (r < 0) return r;
    x->job->door->problem[0] = '\0';
    r = transfer_drive(x, &result);
    if (r == 0 && result == CURLE_OK && !x->began) x->stop = exchange_begin(x);
    exchange_detach(x);
    transfer_outcome_log(x, transfer_now_us() - start);
    if (x->stop < 0) return x->stop;
    if (r < 0) return r;
    if (x->enough) return 0;
    if (result == CURLE_OK && !transfer_decoder_whole(x->decoder)) result = CURLE_PARTIAL_FILE;
    if (result == CURLE_OK) return 0;
    /* The status of an error says more than the loss of its explanation. */
    if (x->began && x->job->kind != TRANSFER_LOGIN &&
        transfer_outcome_status(x->response.status) < 0) {
        x->cut = true;
        return 0;
    }
    return transfer_outcome_curl(x, result);
}

int transfer_exchange_release(struct transfer_exchange *x)
{
    const struct transfer_job *job = x->job;
    int r = exchange_show(x);

    if (r != TRANSFER_PASS || !job->handler.body || !x->kept.length) return r < 0 ? r : 0;
    r = job->handler.body(job->handler.ctx, x->kept.data, x->kept.length);
    return r < 0 ? r : 0;
}

void transfer_exchange_free(struct transfer_exchange *x)
{
    transfer_fields_free(x->fields);
    if (x->url) explicit_bzero(x->url, strlen(x->url));
    free(x->url);
    free(x->headers);
    transfer_decoder_free(x->decoder);
    kit_buffer_free(&x->lines);
    kit_buffer_free(&x->kept);
}
