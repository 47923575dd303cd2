/* TLS below an association [PS3.15 B]. SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <trolley/helpers.h>

#include "channel.h"

struct channel_tls {
    SSL *ssl;
};

struct channel_tls_server {
    SSL_CTX *context;
};

void channel_tls_free(struct channel_tls *tls)
{
    if (!tls) return;
    SSL_free(tls->ssl);
    free(tls);
}

static int config_fail(struct trolley_task *task, const char *what, const char *file)
{
    unsigned long code = ERR_get_error();

    return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG, "%s %s: %s", what, file,
                        code ? ERR_reason_error_string(code) : "cannot be read");
}

/* A context with our certificate, and the certificates that we trust. */
static int context_new(const SSL_METHOD *method, const struct channel_tls_files *files,
                       struct trolley_task *task, SSL_CTX **ret_context)
{
    const char *key = files->key ? files->key : files->cert;
    SSL_CTX *context = SSL_CTX_new(method);
    int r = 0;

    if (!context) return TROLLEY_ERR_NOMEM;
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
    if (files->ca && SSL_CTX_load_verify_locations(context, files->ca, NULL) != 1)
        r = config_fail(task, "trusted certificates", files->ca);
    else if (files->cert && SSL_CTX_use_certificate_chain_file(context, files->cert) != 1)
        r = config_fail(task, "certificate", files->cert);
    else if (files->cert && (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
                             SSL_CTX_check_private_key(context) != 1))
        r = config_fail(task, "key", key);
    if (r < 0) {
        SSL_CTX_free(context);
        return r;
    }
    *ret_context = context;
    return 0;
}

/* The certificate must be for the host that the section names. */
static bool expect_host(SSL *ssl, const char *host)
{
    struct in6_addr address;

    if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

static struct channel_tls *tls_new(SSL_CTX *context, int fd)
{
    struct channel_tls *tls = calloc(1, sizeof *tls);

    if (!tls) return NULL;
    tls->ssl = SSL_new(context);
    if (tls->ssl && SSL_set_fd(tls->ssl, fd) == 1) return tls;
    channel_tls_free(tls);
    return NULL;
}

static int client_new(const struct dimse_settings *settings, int fd, struct trolley_task *task,
                      struct channel_tls **ret_tls)
{
    const struct channel_tls_files files = {settings->ca_file, settings->client_cert,
                                            settings->client_key};
    struct channel_tls *tls;
    SSL_CTX *context;
    int r = context_new(TLS_client_method(), &files, task, &context);

    if (r < 0) return r;
    if (!files.ca) (void)SSL_CTX_set_default_verify_paths(context);
    SSL_CTX_set_verify(context, settings->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    tls = tls_new(context, fd);
    SSL_CTX_free(context);
    if (!tls || (settings->verify && !expect_host(tls->ssl, settings->host))) {
        channel_tls_free(tls);
        return TROLLEY_ERR_NOMEM;
    }
    *ret_tls = tls;
    return 0;
}

/* OpenSSL writes without MSG_NOSIGNAL: SIGPIPE is held off this thread meanwhile, and taken away if
 * it came. */
static void hold_sigpipe(sigset_t *before)
{
    sigset_t pipe;

    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe, before);
}

static void release_sigpipe(const sigset_t *before)
{
    const struct timespec now = {0, 0};
    sigset_t pipe;

    if (!sigismember(before, SIGPIPE)) {
        (void)sigemptyset(&pipe);
        (void)sigaddset(&pipe, SIGPIPE);
        (void)sigtimedwait(&pipe, NULL, &now);
    }
    (void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

static void remember(struct channel *channel, enum channel_trouble trouble, int error)
{
    if (channel->trouble != CHANNEL_FINE) return;
    channel->trouble = trouble;
    channel->error = error;
}

static void remember_insecure(struct channel *channel)
{
    long verified = SSL_get_verify_result(channel->tls->ssl);
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    (void)snprintf(channel->problem, sizeof channel->problem, "%s",
                   verified != X509_V_OK ? X509_verify_cert_error_string(verified)
                   : reason              ? reason
                                         : "the peer ended it");
    remember(channel, CHANNEL_INSECURE, EPROTO);
}

/* What follows a call that returned `n`: 1 call again, 0 the orderly end, -1 trouble. */
static int after_call(struct channel *channel, int n)
{
    int code = SSL_get_error(channel->tls->ssl, n), waited;

    switch (code) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        waited = channel_wait(channel->fd, code == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
                              channel->patience_ms, &channel->guard);
        if (waited == 1) return 1;
        remember(channel, waited < 0 ? CHANNEL_STOPPED : CHANNEL_STALLED, ETIMEDOUT);
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        remember(channel, CHANNEL_CLOSED, 0);
        return 0;
    case SSL_ERROR_SYSCALL:
        remember(channel, CHANNEL_CLOSED, errno);
        return -1;
    default:
        remember_insecure(channel);
        return -1;
    }
}

static int handshake_failed(struct channel *channel, const struct dimse_settings *settings,
                            struct trolley_task *task)
{
    switch (channel->trouble) {
    case CHANNEL_STOPPED:
        return TROLLEY_ERR_CANCELLED;
    case CHANNEL_STALLED:
        return trolley_fail(task, TROLLEY_ERR_TIMEOUT,
                            "no TLS handshake with %s port %u within %d ms (acse_timeout)",
                            settings->host, settings->port, settings->acse_ms);
    case CHANNEL_INSECURE:
        return trolley_fail(task, TROLLEY_ERR_AUTH, "TLS with %s port %u: %s", settings->host,
                            settings->port, channel->problem);
    default:
        return trolley_fail(task, TROLLEY_ERR_NETWORK,
                            "TLS with %s port %u: the connection broke off; does it speak TLS?",
                            settings->host, settings->port);
    }
}

/* Calls SSL_connect or SSL_accept until it is done: 1, else trouble. */
static int shake_hands(struct channel *channel, int (*step)(SSL *))
{
    sigset_t before;
    int n;

    hold_sigpipe(&before);
    do {
        ERR_clear_error();
        n = step(channel->tls->ssl);
    } while (n != 1 && after_call(channel, n) == 1);
    release_sigpipe(&before);
    return n;
}

int channel_tls_start(struct channel *channel, const struct dimse_settings *settings,
                      struct trolley_task *task)
{
    int r = client_new(settings, channel->fd, task, &channel->tls);

    if (r < 0) return r;
    return shake_hands(channel, SSL_connect) == 1 ? 0 : handshake_failed(channel, settings, task);
}

/* ---- the side that is called ---- */

int channel_tls_server_new(const struct channel_tls_files *files, struct trolley_task *task,
                           struct channel_tls_server **ret_server)
{
    struct channel_tls_server *server = calloc(1, sizeof *server);
    int r;

    if (!server) return TROLLEY_ERR_NOMEM;
    r = context_new(TLS_server_method(), files, task, &server->context);
    if (r < 0) {
        free(server);
        return r;
    }
    /* No session is resumed: each caller shows its certificate anew. */
    (void)SSL_CTX_set_session_cache_mode(server->context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_options(server->context, SSL_OP_NO_TICKET);
    if (files->ca) {
        SSL_CTX_set_client_CA_list(server->context, SSL_load_client_CA_file(files->ca));
        SSL_CTX_set_verify(server->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
    }
    *ret_server = server;
    return 0;
}

void channel_tls_server_free(struct channel_tls_server *server)
{
    if (!server) return;
    SSL_CTX_free(server->context);
    free(server);
}

bool channel_tls_accept(struct channel *channel, struct channel_tls_server *server)
{
    channel->tls = tls_new(server->context, channel->fd);
    return channel->tls && shake_hands(channel, SSL_accept) == 1;
}

/* ---- bytes ---- */

bool channel_tls_pending(const struct channel *channel)
{
    return SSL_has_pending(channel->tls->ssl) == 1;
}

static int at_most(size_t length)
{
    return length < ((size_t)1 << 30) ? (int)length : 1 << 30;
}

ssize_t channel_tls_read(struct channel *channel, void *buffer, size_t length)
{
    sigset_t before;
    int n, next = 1;

    hold_sigpipe(&before);
    do {
        ERR_clear_error();
        n = SSL_read(channel->tls->ssl, buffer, at_most(length));
        if (n <= 0) next = after_call(channel, n);
    } while (n <= 0 && next == 1);
    release_sigpipe(&before);
    return n > 0 ? n : next;
}

ssize_t channel_tls_write(struct channel *channel, const void *buffer, size_t length)
{
    const char *data = buffer;
    size_t done = 0;
    sigset_t before;
    int next = 1;

    hold_sigpipe(&before);
    while (done < length && next == 1) {
        int n;

        ERR_clear_error();
        n = SSL_write(channel->tls->ssl, data + done, at_most(length - done));
        if (n > 0)
            done += (size_t)n;
        else
            next = after_call(channel, n);
    }
    release_sigpipe(&before);
    return done == length ? (ssize_t)length : -1;
}
