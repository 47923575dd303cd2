/*
 * The part of a session that its doors share, and the handles of a door.
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "core/transfer/session.h"

/* What curl reads from a socket at once. Measured: half the time of 16 KiB for large bodies. */
#define SESSION_BUFFER (512L << 10)

/* Sessions in use. The service's functions have no context of their own to keep it in. */
static pthread_mutex_t session_lock = PTHREAD_MUTEX_INITIALIZER;
static struct transfer_session *session_list;

static void share_lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *ctx)
{
    struct transfer_share *share = ctx;

    (void)easy;
    (void)access;
    (void)pthread_mutex_lock(&share->locks[data]);
}

static void share_unlock(CURL *easy, curl_lock_data data, void *ctx)
{
    struct transfer_share *share = ctx;

    (void)easy;
    (void)pthread_mutex_unlock(&share->locks[data]);
}

static int share_open(struct transfer_share *share, bool all)
{
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        (void)pthread_mutex_init(&share->locks[i], NULL);
    share->handle = curl_share_init();
    if (!share->handle || curl_share_setopt(share->handle, CURLSHOPT_LOCKFUNC, share_lock) ||
        curl_share_setopt(share->handle, CURLSHOPT_UNLOCKFUNC, share_unlock) ||
        curl_share_setopt(share->handle, CURLSHOPT_USERDATA, share) ||
        curl_share_setopt(share->handle, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS))
        return TROLLEY_ERR_NOMEM;
    if (!all) return 0;
    if (curl_share_setopt(share->handle, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE) ||
        curl_share_setopt(share->handle, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION))
        return TROLLEY_ERR_NOMEM;
    return 0;
}

static void share_close(struct transfer_share *share)
{
    if (share->handle) (void)curl_share_cleanup(share->handle);
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        (void)pthread_mutex_destroy(&share->locks[i]);
}

static const char *session_text(const struct transfer_session *session, const char *key)
{
    const char *text = session->info.config->text(session->info.config, key);

    return text && *text ? text : NULL;
}

static int session_read_scheme(struct transfer_session *session, struct trolley_task *task)
{
    static const char *const names[] = {"none", "basic", "digest", "negotiate", "netrc"};
    const char *auth = session_text(session, "auth");

    if (session->info.auth) {
        session->scheme = TRANSFER_OTHER;
        return 0;
    }
    for (size_t i = 0; auth && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(auth, names[i]) != 0) continue;
        session->scheme = (enum transfer_scheme)i;
        if ((i == TRANSFER_BASIC || i == TRANSFER_DIGEST) && !session_text(session, "user"))
            return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                                "[session %s]: auth = %s needs user", session->info.name, auth);
        return 0;
    }
    if (!auth) return 0;
    return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG, "[session %s]: auth = %s is not known",
                        session->info.name, auth);
}

static int session_check_headers(const struct transfer_session *session, struct trolley_task *task)
{
    const struct trolley_config *config = session->info.config;
    struct trolley_span lines = config->list(config, "header");
    struct curl_slist *fields = NULL;
    int r = 0;

    for (uint32_t i = 0; i < lines.count && r == 0; i++)
        r = transfer_fields_line(&fields, trolley_span_text(&lines, i));
    transfer_fields_free(fields);
    if (r == TROLLEY_ERR_INVALID_ARG)
        r = trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                         "[session %s]: header must be written `Name: value`", session->info.name);
    return r;
}

static int64_t session_bound(const struct transfer_session *session, const char *key,
                             int64_t fallback)
{
    int64_t bound = session->info.config->integer(session->info.config, key, fallback);

    return bound > 0 ? bound : 0;
}

static int session_open(struct transfer_session *session, const struct trolley_host *host,
                        struct trolley_task *task)
{
    const struct trolley_config *config = session->info.config;
    int r;

    session->connect_ms = session_bound(session, "connect_timeout", 10000);
    session->idle_ms = session_bound(session, "idle_timeout", 60000);
    session->total_ms = session_bound(session, "total_timeout", 0);
    session->max_rate = session_bound(session, "max_rate", 0);
    session->max_document = (uint64_t)session_bound(session, "max_document", INT64_C(256) << 20);
    r = session_read_scheme(session, task);
    if (r == 0) r = session_check_headers(session, task);
    if (r == 0 && (share_open(&session->share, true) || share_open(&session->foreign, false)))
        r = TROLLEY_ERR_NOMEM;
    if (r == 0 && !config->integer(config, "verify", 1) && host->log) {
        char line[512];

        (void)snprintf(line, sizeof line,
                       "[session %s] has verify = no: any server may pose as the right one",
                       session->info.name);
        host->log(host, TROLLEY_LOG_WARNING, "transfer", line);
    }
    return r;
}

static void session_free(struct transfer_session *session)
{
    share_close(&session->share);
    share_close(&session->foreign);
    transfer_password_wipe(&session->auth);
    (void)pthread_mutex_destroy(&session->auth.lock);
    (void)pthread_cond_destroy(&session->auth.left);
    (void)pthread_mutex_destroy(&session->rate_lock);
    free(session);
}

static int session_new(const struct transfer_session_info *info, const struct trolley_host *host,
                       struct trolley_task *task, struct transfer_session **ret_session)
{
    struct transfer_session *session = calloc(1, sizeof *session);
    pthread_condattr_t monotonic;
    int r;

    if (!session) return TROLLEY_ERR_NOMEM;
    session->info = *info;
    (void)pthread_mutex_init(&session->auth.lock, NULL);
    (void)pthread_mutex_init(&session->rate_lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&session->auth.left, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    r = session_open(session, host, task);
    if (r < 0) {
        session_free(session);
        return r;
    }
    *ret_session = session;
    return 0;
}

int transfer_session_get(const struct transfer_session_info *info, const struct trolley_host *host,
                         struct trolley_task *task, struct transfer_session **ret_session)
{
    struct transfer_session *session;
    int r = 0;

    (void)pthread_mutex_lock(&session_lock);
    for (session = session_list; session; session = session->next)
        if (session->info.key == info->key) break;
    if (!session) {
        r = session_new(info, host, task, &session);
        if (r < 0) goto out;
        session->next = session_list;
        session_list = session;
    }
    session->doors++;
    *ret_session = session;
out:
    (void)pthread_mutex_unlock(&session_lock);
    return r;
}

void transfer_session_put(struct transfer_session *session)
{
    struct transfer_session **at = &session_list;

    (void)pthread_mutex_lock(&session_lock);
    if (--session->doors == 0) {
        while (*at != session)
            at = &(*at)->next;
        *at = session->next;
        session_free(session);
    }
    (void)pthread_mutex_unlock(&session_lock);
}

static int easy_set_tls(CURL *easy, const struct transfer_session *session, enum transfer_kind kind)
{
    const struct trolley_config *config = session->info.config;
    const char *ca = session_text(session, "ca_file");
    const char *cert = session_text(session, "client_cert");
    const char *key = session_text(session, "client_key");
    long verify = config->integer(config, "verify", 1) ? 1 : 0;
    int bad = 0;

    bad |= (int)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
    if (ca) {
        /* A named CA is the only one that counts, not one more. */
        bad |= (int)curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
        bad |= (int)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (kind == TRANSFER_FOREIGN || !cert) return bad;
    bad |= (int)curl_easy_setopt(easy, CURLOPT_SSLCERT, cert);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_SSLKEY, key ? key : cert);
    return bad;
}

static int easy_set_auth(CURL *easy, const struct transfer_session *session)
{
    int bad = 0;

    switch (session->scheme) {
    case TRANSFER_BASIC:
        bad |= (int)curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        bad |= (int)curl_easy_setopt(easy, CURLOPT_USERNAME, session_text(session, "user"));
        break;
    case TRANSFER_DIGEST:
        bad |= (int)curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST);
        bad |= (int)curl_easy_setopt(easy, CURLOPT_USERNAME, session_text(session, "user"));
        break;
    case TRANSFER_NEGOTIATE:
        bad |= (int)curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_NEGOTIATE);
        bad |= (int)curl_easy_setopt(easy, CURLOPT_USERPWD, ":");
        break;
    case TRANSFER_NETRC:
        bad |= (int)curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        bad |= (int)curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_REQUIRED);
        break;
    default:
        break;
    }
    return bad;
}

static int easy_set_network(CURL *easy, const struct transfer_session *session)
{
    const char *proxy = session_text(session, "proxy");
    const char *agent = session_text(session, "user_agent");
    int bad = 0;

    bad |= (int)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, SESSION_BUFFER);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                                 session->connect_ms ? (long)session->connect_ms : 86400000L);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    bad |=
        (int)curl_easy_setopt(easy, CURLOPT_USERAGENT, agent ? agent : "trolley/" TROLLEY_VERSION);
    if (proxy)
        bad |= (int)curl_easy_setopt(easy, CURLOPT_PROXY, strcmp(proxy, "none") ? proxy : "");
    return bad;
}

static int easy_set(CURL *easy, struct trolley_http_session *door, enum transfer_kind kind)
{
    struct transfer_session *session = door->session;
    int bad = 0;

    bad |= (int)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, door->problem);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Giving up must not wait for a name server. */
    bad |= (int)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    bad |= easy_set_network(easy, session);
    bad |= easy_set_tls(easy, session, kind);
    if (kind == TRANSFER_HOME) bad |= easy_set_auth(easy, session);
    if (kind == TRANSFER_FOREIGN)
        return bad | (int)curl_easy_setopt(easy, CURLOPT_SHARE, session->foreign.handle);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_SHARE, session->share.handle);
    return bad | (int)curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
}

int transfer_door_easy(struct trolley_http_session *door, enum transfer_kind kind, CURL **ret_easy)
{
    CURL *easy = door->easy[kind];

    if (!easy) {
        easy = curl_easy_init();
        if (!easy) return TROLLEY_ERR_NOMEM;
        if (easy_set(easy, door, kind)) {
            curl_easy_cleanup(easy);
            return TROLLEY_ERR_INVALID_CONFIG;
        }
        door->easy[kind] = easy;
    }
    *ret_easy = easy;
    return 0;
}
