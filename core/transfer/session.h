/*
 * session.h: what the files of the HTTP module share. A session is what an INI's [session NAME]
 * says, one for all who name it; a door (struct trolley_http_session) is one thread's way through
 * it. A job is one request of a plugin; an exchange is one request on the wire, of which a job may
 * need several: redirects, a log-in. SPDX-License-Identifier: MIT
 */
#ifndef CORE_TRANSFER_SESSION_H
#define CORE_TRANSFER_SESSION_H

#include <curl/curl.h>
#include <kit/buffer.h>
#include <pthread.h>
#include <stdbool.h>
#include <trolley/helpers.h>

#include "core/transfer/transfer.h"

/* To whom an exchange speaks. Each kind has an easy handle of its own, so that nothing of the
 * session can be left over on a handle that speaks to strangers. */
enum transfer_kind {
    TRANSFER_HOME,    /* the origin the plugin named: everything the session has */
    TRANSFER_FOREIGN, /* another origin: no auth, headers, cookies, certificate */
    TRANSFER_LOGIN,   /* an auth plugin's own: no auth, no session headers */
    TRANSFER_KINDS
};

/* The session's own schemes; OTHER is an auth plugin. */
enum transfer_scheme {
    TRANSFER_NONE,
    TRANSFER_BASIC,
    TRANSFER_DIGEST,
    TRANSFER_NEGOTIATE,
    TRANSFER_NETRC,
    TRANSFER_OTHER
};

struct transfer_share {
    CURLSH *handle;
    pthread_mutex_t locks[CURL_LOCK_DATA_LAST];
};

/* Who may log in now, and what came of the last time. */
struct transfer_auth {
    pthread_mutex_t lock;
    pthread_cond_t left;
    bool busy;          /* somebody is within prepare or challenge */
    uint64_t verdicts;  /* log-ins so far, refused ones too */
    int32_t verdict;    /* the last one's: OK or negative */
    char *password;     /* as last read; NULL before the first use; wiped when it goes */
    int64_t refused_us; /* when it was refused for good; 0: it was not */
    bool proven;        /* an answer came with it since the last refusal */
    const struct transfer_job *trial; /* whose answer the others wait for; NULL: nobody's */
};

struct transfer_session {
    struct transfer_session *next;
    size_t doors;
    struct transfer_session_info info;
    enum transfer_scheme scheme;
    int64_t connect_ms, idle_ms, total_ms; /* 0: no bound */
    int64_t max_rate;                      /* bytes a second of all doors; 0: no bound */
    uint64_t max_document;
    struct transfer_share share;   /* cookies, DNS, TLS sessions */
    struct transfer_share foreign; /* DNS alone */
    struct transfer_auth auth;
    pthread_mutex_t rate_lock;
    int64_t rate_free_us; /* when the bytes read so far are paid for */
};

#define TRANSFER_HOMES_MAX 64
struct trolley_http_session {
    struct transfer_session *session;
    char **homes; /* URLs whose origins are the section's own; none: any is */
    uint32_t home_count;
    const struct trolley_host *host;
    char title[96]; /* whose requests these are, for the log: "qido-rs pacs-search" */
    CURLM *multi;
    CURL *easy[TRANSFER_KINDS];    /* made at first use */
    uint64_t credentials;          /* 1 + auth.verdicts when HOME's password was set; 0: never */
    uint64_t logins;               /* requests that auth plugins sent */
    bool lent;                     /* HOME has a scheme that an auth plugin chose */
    char warning[256];             /* the server's Warning that was noted last */
    char problem[CURL_ERROR_SIZE]; /* curl's words for the last failure */
};

/* One request of a plugin (or of an auth plugin). */
struct transfer_job {
    struct trolley_http_session *door;
    struct trolley_task *task;
    struct trolley_http_request request;
    struct trolley_http_handler handler;
    enum transfer_kind kind, began; /* now, and before any redirect */
    char *url;                      /* of the next exchange, without what an auth plugin adds */
    const char *method;             /* of the next exchange */
    bool send_body;
    unsigned redirects;
    unsigned resends;    /* after log-ins */
    int64_t deadline_us; /* by total_timeout; 0: none */
    uint64_t seen;       /* auth.verdicts when the exchange was prepared */
};

/* What becomes of a body. */
enum transfer_mode {
    TRANSFER_PASS,  /* to the handler */
    TRANSFER_WORDS, /* read for its first words */
    TRANSFER_HOLD   /* kept until it is known whether a log-in follows */
};
#define TRANSFER_WORDS_MAX ((size_t)4 << 10) /* what is kept for words and for challenge */
#define TRANSFER_HOLD_MAX ((size_t)64 << 10) /* of a held body */
#define TRANSFER_DRAIN_MAX \
    ((uint64_t)1 << 20) /* read of a body nobody wants, to keep the connection */
#define TRANSFER_HEAD_MAX ((size_t)256 << 10)

struct transfer_decoder;
struct transfer_exchange {
    struct transfer_job *job;
    CURL *easy;
    char *url;                 /* as sent */
    struct curl_slist *fields; /* header fields as sent */
    struct kit_buffer lines;   /* the answer's head: name NUL value NUL ... */
    uint32_t line_count;
    bool head_open; /* between a status line and its empty line */
    struct trolley_http_header *headers;
    struct trolley_http_response response;
    struct transfer_decoder *decoder; /* NULL: the body comes as it is */
    bool began;                       /* response is filled in, mode is chosen */
    enum transfer_mode mode;
    struct kit_buffer kept; /* the body's beginning, unless it went to the handler alone */
    bool cut;               /* kept is not all of it */
    bool enough;            /* the rest was left unread on purpose */
    bool paused;            /* for the sake of max_rate */
    uint64_t decoded;       /* bytes of the body so far */
    uint64_t head_bytes;
    int32_t stop; /* negative: why reading ended, already reported where it is ours */
};

/* session.c */

/* Finds or makes the session of info->key. Errors: INVALID_CONFIG, NOMEM. [load] */
int transfer_session_get(const struct transfer_session_info *info, const struct trolley_host *host,
                         struct trolley_task *task, struct transfer_session **ret_session);
void transfer_session_put(struct transfer_session *session);
/* The door's easy handle for that kind, with everything set that does not change by request. */
int transfer_door_easy(struct trolley_http_session *door, enum transfer_kind kind, CURL **ret_easy);

/* fields.c: header fields in a curl list. */

/* Sets (value) or takes out (NULL) a field; replaces one of that name. Errors: INVALID_ARG (line
 * breaks, no token), NOMEM, TOO_LARGE. */
int transfer_fields_set(struct curl_slist **fields, const char *name, const char *value);
/* The same for "Name: value". */
int transfer_fields_line(struct curl_slist **fields, const char *line);
/* The value; NULL when there is none. */
const char *transfer_fields_get(const struct curl_slist *fields, const char *name);
/* Wipes and frees. */
void transfer_fields_free(struct curl_slist *fields);
/* A method or field name [RFC 9110 5.6.2]. */
bool transfer_token_valid(const char *text, size_t length);

/* url.c */

/* http or https, a host, no user: OK or INVALID_ARG. */
int transfer_url_check(const char *url);
bool transfer_url_same_origin(const char *a, const char *b);
/* `location` [RFC 9110 10.2.2] against `base`, without user and fragment. Errors: PROTOCOL (neither
 * http nor https, malformed), NOMEM. The caller frees *ret_url. */
int transfer_url_resolve(const char *base, const char *location, char **ret_url);
/* Appends the URL for people: parameter values only when wanted, never a user. */
int transfer_url_describe(struct kit_buffer *out, const char *url, bool values);
/* Adds name=value, percent-encoded, to the query of *url, which is replaced. */
int transfer_url_add_query(char **url, const char *name, const char *value);

/* exchange.c */

/*
 * Sends job's next request and reads its answer as far as the handler may have it. OK: there is an
 * answer in *x, of whatever status (x->mode says where its body went). Negative: there is none, and
 * job->task knows why. transfer_exchange_free(x) in either case.
 */
int transfer_exchange_run(struct transfer_exchange *x);
void transfer_exchange_free(struct transfer_exchange *x);
/* Tells the handler about an answer that was held. */
int transfer_exchange_release(struct transfer_exchange *x);
/* A field of the answer; NULL when it has none. */
const char *transfer_exchange_field(const struct transfer_exchange *x, const char *name);

/* decode.c */

/* For a value of Content-Encoding; *ret_decoder is NULL when there is nothing to decode. Errors:
 * PROTOCOL (a coding that is not known here), NOMEM. */
int transfer_decoder_new(const char *coding, struct transfer_decoder **ret_decoder);
void transfer_decoder_free(struct transfer_decoder *decoder);
/* Hands decoded bytes to `take`, whose refusal it returns. Errors: PROTOCOL. */
int transfer_decode(struct transfer_decoder *decoder, const char *data, size_t length,
                    int (*take)(void *ctx, const char *data, size_t length), void *ctx);
/* Has every coded stream that began come to its end? */
bool transfer_decoder_whole(const struct transfer_decoder *decoder);

/* drive.c */

/* Runs x->easy until it is done, cancelled or out of time. *ret_result is curl's verdict. Negative:
 * ended from here, reported. */
int transfer_drive(struct transfer_exchange *x, CURLcode *ret_result);
/* max_rate, which all doors share: bytes that were read, and how long no more may be. */
void transfer_rate_pay(struct transfer_session *session, size_t bytes);
int64_t transfer_rate_wait_us(struct transfer_session *session);
/* Microseconds of a clock that never goes back. */
int64_t transfer_now_us(void);

/* request.c */

int32_t transfer_request(struct trolley_http_session *door,
                         const struct trolley_http_request *request,
                         const struct trolley_http_handler *handler, struct trolley_task *task);
/* Fills a job. Errors: INVALID_ARG, NOMEM, reported. transfer_job_free in either case. */
int transfer_job_init(struct transfer_job *job, struct trolley_http_session *door,
                      enum transfer_kind kind, const struct trolley_http_request *request,
                      const struct trolley_http_handler *handler, struct trolley_task *task);
void transfer_job_free(struct transfer_job *job);
/* Points the job at where it began, as after a log-in. Errors: NOMEM. */
int transfer_job_rewind(struct transfer_job *job);
/* May values of its URL's parameters be told? A log-in's may be secrets. */
bool transfer_job_tells(const struct transfer_job *job);

/* redirect.c */

/* Does this answer send the job elsewhere? */
bool transfer_redirect_due(const struct transfer_exchange *x);
/* Points the job at the next URL. Errors: PROTOCOL, reported: too many, to nowhere, from https to
 * http. */
int transfer_redirect_follow(struct transfer_exchange *x);

/* auth.c */

/* May this answer be one that asks for a log-in? */
bool transfer_auth_concerns(const struct transfer_exchange *x);
/* Before an exchange: user and password, or what an auth plugin sets. */
int transfer_auth_prepare(struct transfer_exchange *x);
/* After one that transfer_auth_concerns: *ret_again says whether to send it once more; otherwise
 * the answer stands. Negative: refused, reported. */
int transfer_auth_challenge(struct transfer_exchange *x, bool *ret_again);

/* password.c: within auth's lock but for the last three */

/* Gives curl the password that is valid now. AUTH, reported: it was refused a moment ago. */
int transfer_password_prepare(struct transfer_exchange *x);
/* After a 401: OK to send the request once more, AUTH when the answer stands. */
int32_t transfer_password_challenge(struct transfer_exchange *x);
/* The answer's status is known: those who waited for it go on. */
void transfer_password_answered(const struct transfer_exchange *x);
/* The job is over, with an answer or without. */
void transfer_password_leave(const struct transfer_job *job);
void transfer_password_wipe(struct transfer_auth *auth);

/* client_cert.c: servers that miss a client's certificate, or do not like the one they got */

/* Does this answer say so? */
bool transfer_client_cert_refused(const struct transfer_exchange *x);
/* Is a failed connection's text, in curl's words, an alert that says so? */
bool transfer_client_cert_alerted(const char *problem);

/* outcome.c */

/* What an answer's status means; OK or the mapped error. */
int32_t transfer_outcome_status(int32_t code);
/* Reports an answer that is an error; returns its status. */
int32_t transfer_outcome_answer(const struct transfer_exchange *x);
/* Reports curl's failure; returns its status. */
int32_t transfer_outcome_curl(const struct transfer_exchange *x, CURLcode result);
/* Reports anything else about a job's request: `what` in plain words. */
__attribute__((format(printf, 4, 5))) int32_t transfer_outcome_say(const struct transfer_job *job,
                                                                   int32_t status, int32_t code,
                                                                   const char *what, ...);
/* One line in the debug log. */
void transfer_outcome_log(const struct transfer_exchange *x, int64_t took_us);

#endif
