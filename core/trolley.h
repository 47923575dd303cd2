/*
 * trolley.h: the library's public interface (pkg-config `trolley`). The program `trolley` uses
 * nothing else.
 *
 * A setup is an opened INI file. A trolley is one of its [trolley NAME] sections: a searcher,
 * downloaders and a storage. Structs are opaque unless they are shown here. There are no globals
 * but the log sink.
 *
 * Threads: several may use one setup at the same time, each with trolleys and queries of its own; a
 * trolley and a query are one thread's at a time. trolley_setup_cancel is for any thread. Callbacks
 * come while the call runs that was given them; their words say from which threads.
 *
 * Texts are UTF-8, UIDs dotted text, dates "YYYYMMDD". Functions return 0 or a negative enum
 * trolley_status, explain themselves in `error` (which may be NULL), and leave out-parameters
 * untouched on failure. Free functions take NULL.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_H
#define TROLLEY_H

#include <stdint.h>
#include <trolley/plugin.h>
#include <trolley/storage.h>

#include "trolley_tree.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors and log
 * ---------------------------------------------------------------------------------------- */

/* Why a call failed. Belongs to the caller; message is one line, already safe for a terminal. */
struct trolley_error {
    int32_t status; /* enum trolley_status */
    int32_t code;   /* HTTP or DIMSE number, 0 when there is none */
    char message[2048];
};

/* The name of a status: "not found". Static text. */
const char *trolley_status_name(int32_t status);

/* Takes log lines: level is an enum trolley_log_level, component "qido-rs main". [any] */
typedef void (*trolley_log_sink)(void *ctx, uint32_t level, const char *component,
                                 const char *message);

/* Sets the process-wide log sink and its most verbose level. NULL discards. Call it before other
 * threads start. */
void trolley_set_log(trolley_log_sink sink, void *ctx, uint32_t max_level);

/* The library's version, "0.1.0". Static text. */
const char *trolley_version(void);

/* ---- setup: an opened INI file
 * ------------------------------------------------------------------------------ */

struct trolley_setup;

/*
 * Reads and checks an INI file: syntax, section kinds, keys of the host. `path` NULL looks in
 * $TROLLEY_CONFIG, $XDG_CONFIG_HOME/trolley/trolley.ini (~/.config),
 * SYSCONFDIR/trolley/trolley.ini, never the current directory. No plugin is opened yet.
 * @param ret_setup  free with trolley_setup_close; handles made from it must be freed before.
 * Errors: TROLLEY_ERR_INVALID_CONFIG with file, line and key.
 */
int trolley_setup_open(const char *path, struct trolley_setup **ret_setup,
                       struct trolley_error *error);

/* An empty setup: built-in plugins, no sections. For `plugins`, `config example`, completion. */
int trolley_setup_empty(struct trolley_setup **ret_setup, struct trolley_error *error);

/* Closes components and HTTP sessions, and frees it. No call on a handle of it may be running. */
void trolley_setup_close(struct trolley_setup *setup);

/* The file it was read from; NULL for an empty one. */
const char *trolley_setup_path(const struct trolley_setup *setup);

/* A key of [settings] with its default applied; NULL when unset. Borrowed. */
const char *trolley_setup_setting(const struct trolley_setup *setup, const char *key);

/* Section i of the file, in its order: kind and name ("" for [settings]), borrowed. NOT_FOUND past
 * the last. No plugin is opened. */
int trolley_setup_section(const struct trolley_setup *setup, uint32_t i, const char **ret_kind,
                          const char **ret_name);

/* A key of a section as the file has it, without its default; the first of several. NULL when the
 * section or the key is not there. No plugin is opened, so any key goes. Borrowed. */
const char *trolley_setup_key(const struct trolley_setup *setup, const char *kind, const char *name,
                              const char *key);

/* Kind i of section that an INI file may have, "settings", "session", ..., NULL past the last; and
 * the keys that the host knows in it: a span of struct trolley_option. Static. */
const char *trolley_section_kind(uint32_t i);
const struct trolley_span *trolley_section_options(const char *kind);

/* The keys that sections of components with TROLLEY_COMPONENT_HTTP have, too: `session`. Static. */
const struct trolley_span *trolley_http_options(void);

/* Asks every running operation of this setup to end, with TROLLEY_ERR_CANCELLED within about a
 * second, and every later one at once: to go on, open the file anew. Safe in a signal handler.
 * [any] */
void trolley_setup_cancel(struct trolley_setup *setup);

/* Loads and checks every component that the INI file names: options, types, peers. Creates them
 * too, without any network I/O. `problem` is called for each fault. Returns the worst status. */
int trolley_setup_check(struct trolley_setup *setup,
                        void (*problem)(void *ctx, const struct trolley_error *error), void *ctx,
                        struct trolley_error *error);

/* The effective configuration as INI text, secrets masked. The caller frees *ret_text with
 * trolley_text_free. */
int trolley_setup_show(struct trolley_setup *setup, char **ret_text, struct trolley_error *error);

/* A commented sample section for each type, made from the descriptors. `types` NULL: a whole sample
 * file. */
int trolley_setup_example(struct trolley_setup *setup, const char *const *types, uint32_t count,
                          char **ret_text, struct trolley_error *error);
void trolley_text_free(char *text);

/* ---- plugins
 * ------------------------------------------------------------------------------------------------
 */

/* One shared object found in the plugin directories. Borrowed for the call. */
struct trolley_plugin_info {
    const char *name; /* file name without .so */
    const char *path;
    const struct trolley_plugin *plugin; /* NULL when it could not be loaded */
    const char *problem;                 /* why not, NULL when loaded */
    const char *shadowed_by;             /* path of the file that wins, NULL when this one does */
};

/* Opens every plugin in plugin_path and the built-in directory, in that order, and shows each once.
 */
int trolley_plugins(struct trolley_setup *setup,
                    void (*each)(void *ctx, const struct trolley_plugin_info *info), void *ctx,
                    struct trolley_error *error);

/* Names of the plugins in plugin_path and the built-in directory, each once, in order; none of them
 * is opened. */
void trolley_plugin_names(struct trolley_setup *setup, void (*each)(void *ctx, const char *name),
                          void *ctx);

/* The plugin of that name (type). The plugin is borrowed until the process ends, the path until the
 * next call. */
int trolley_plugin_get(struct trolley_setup *setup, const char *name,
                       struct trolley_plugin_info *ret_info, struct trolley_error *error);

/* ---- checking a plugin
 * --------------------------------------------------------------------------------------
 */

enum trolley_check_outcome {
    TROLLEY_CHECK_PASSED = 1,
    TROLLEY_CHECK_FAILED = 2,
    TROLLEY_CHECK_SKIPPED = 3 /* message says why */
};

/* How one check of one component went. Borrowed for the call. */
struct trolley_check_result {
    const char *check;     /* its name: "entry-pure" */
    const char *component; /* "searcher", ...; NULL where it is about the file */
    uint32_t outcome;      /* enum trolley_check_outcome */
    const char *message;   /* what was found; "" when it passed */
    double seconds;
};

struct trolley_check_options {
    const char *only;       /* one check's name (what it needs runs unreported); NULL: all */
    uint64_t seed;          /* of random option values; 0: 1 */
    uint32_t time_limit_ms; /* of each check; 0: 30 s */
};

/* Name of check i and what it is about, in the order they run; NULL past the last. Static text. */
const char *trolley_plugin_check_name(uint32_t i, const char **ret_about);

/*
 * Checks the plugin in the file `path` against the contract, each check in a process of its own
 * (fork), so that a crash or a hang is a finding. Servers are stood for by ports of 127.0.0.1 where
 * nobody listens or answers. `each` gets every result as it comes; non-zero stops. The calling
 * process should have no other threads.
 * Returns 0 when no check failed. Errors: INVALID_CONFIG (some failed), NOT_FOUND (no such file),
 * INVALID_ARG (no check of that name), CANCELLED (stopped by `each`), IO.
 */
int trolley_plugin_check(const char *path, const struct trolley_check_options *options,
                         int (*each)(void *ctx, const struct trolley_check_result *result),
                         void *ctx, struct trolley_error *error);

/* ---- query
 * --------------------------------------------------------------------------------------------------
 */

struct trolley_query_builder;

/* A query without keys at study level. Free with trolley_query_free. */
int trolley_query_new(struct trolley_query_builder **ret_query, struct trolley_error *error);

/* No call that was given it may be running. */
void trolley_query_free(struct trolley_query_builder *query);

/*
 * Sets one key. `key`: a DICOM keyword (PatientName), a tag (00100010, 0010,0010), a dotted path of
 * either, or a parameter of a query type (limit). `value`: as interface users type it: wildcards
 * `*` `?`, several values with
 * '\' (UIDs and code strings also ','), dates "20150301", "2015-03-01", "A-B", "A..B", open ends,
 * "today-7d". StudyDate sets min_study_date and max_study_date. Setting a key twice is an error.
 * Errors: TROLLEY_ERR_INVALID_ARG (unknown keyword with the nearest one, bad date, bad UID, not
 * UTF-8).
 */
int trolley_query_set(struct trolley_query_builder *query, const char *key, const char *value,
                      struct trolley_error *error);

/* How deep the find goes: "study" (what it is at first), "series" or "instance". */
int trolley_query_set_level(struct trolley_query_builder *query, const char *level,
                            struct trolley_error *error);

/* Adds an attribute to be returned: keyword, tag or path. */
int trolley_query_include(struct trolley_query_builder *query, const char *key,
                          struct trolley_error *error);

/* Forces a query type instead of the first accepted one that covers every key. */
int trolley_query_set_type(struct trolley_query_builder *query, const char *type,
                           struct trolley_error *error);

/* The host's own query types, which a plugin lists by name alone: "query" and "extended"; NULL for
 * other names. Static. */
const struct trolley_query_type *trolley_query_type_builtin(const char *name);

/*
 * Calls each(ctx, param) for every parameter of a type, those of its bases first. Names of bases,
 * and a type listed by name alone, mean others of `types` (the span it was listed in, may be NULL)
 * or the host's own. `each` may be NULL. Returns the TROLLEY_QUERY_* flags of the type and its
 * bases.
 */
uint32_t trolley_query_type_params(const struct trolley_query_type *type,
                                   const struct trolley_span *types,
                                   void (*each)(void *ctx, const struct trolley_query_param *param),
                                   void *ctx);

/* ---- find and download
 * -------------------------------------------------------------------------------------- */

struct trolley;

/*
 * A [trolley NAME] of the setup; `name` NULL: the one [settings] names, or the only one.
 * @param ret_trolley  free with trolley_free. Components are opened when first used.
 */
int trolley_get(struct trolley_setup *setup, const char *name, struct trolley **ret_trolley,
                struct trolley_error *error);

/* Names of sections. Members may be NULL: a searcher alone finds, a downloader alone takes
 * references. */
struct trolley_parts {
    const char *searcher;           /* [searcher NAME] */
    const char *expander;           /* the searcher that names instances, when `searcher` cannot */
    const char *const *downloaders; /* [downloader NAME], in order: the next gets what is left */
    uint32_t downloader_count;
    const char *storage; /* [storage NAME] */
};

/*
 * A trolley of sections that no [trolley NAME] puts together: a searcher or a downloader alone, or
 * another mixture. The names are copied.
 * @param ret_trolley  free with trolley_free. Components are opened when first used.
 * Errors: INVALID_CONFIG (no section of that name), NOMEM.
 */
int trolley_compose(struct trolley_setup *setup, const struct trolley_parts *parts,
                    struct trolley **ret_trolley, struct trolley_error *error);

/* Frees a trolley of either making, before its setup. What a find of it brought stays. */
void trolley_free(struct trolley *trolley);

/* The section of the searcher that knows instances: key expander, else searcher; NULL when there is
 * none. Borrowed. */
const char *trolley_searcher_name(const struct trolley *trolley);

/* A remark of a plugin or of the host about the running operation. Borrowed. */
struct trolley_remark {
    uint32_t severity; /* enum trolley_log_level */
    int32_t code;
    const char *component;         /* "qido-rs pacs-search" */
    const struct trolley_ref *ref; /* NULL when it is about no object */
    const char *message;
};
typedef void (*trolley_remark_sink)(void *ctx, const struct trolley_remark *remark);

/* What a find brought. Owned by the caller. */
struct trolley_find_result {
    /* Free with trolley_tree_free. Set by every call, one that failed too: empty, or what came
     * before it did; NULL only when there was no memory for it. */
    struct trolley_tree *tree;
    uint64_t dropped; /* records that contradicted the query or had no valid UID */
};

/*
 * Runs a query. On failure after records came, returns the failure and a tree of what came.
 * Errors: TROLLEY_ERR_UNSUPPORTED_PARAM (says for each query type what stood in the way), and the
 * searcher's.
 */
int trolley_find(struct trolley *trolley, const struct trolley_query_builder *query,
                 trolley_remark_sink remark, void *remark_ctx,
                 struct trolley_find_result *ret_result, struct trolley_error *error);

enum trolley_outcome_kind {
    TROLLEY_OUTCOME_STORED = 1,
    TROLLEY_OUTCOME_SKIPPED = 2, /* the storage held it whole */
    TROLLEY_OUTCOME_REPLACED = 3,
    TROLLEY_OUTCOME_MISSING = 4,    /* asked for, never came */
    TROLLEY_OUTCOME_FAILED = 5,     /* came broken, or could not be stored */
    TROLLEY_OUTCOME_IGNORED = 6,    /* an error that the INI says to ignore */
    TROLLEY_OUTCOME_UNEXPECTED = 7, /* came unasked; not stored */
    TROLLEY_OUTCOME_DUPLICATE = 8   /* came twice; the second was not stored */
};

/* The fate of one object. Borrowed for the call. Texts are NULL where unknown. */
struct trolley_outcome {
    uint32_t kind; /* enum trolley_outcome_kind */
    uint32_t frame;
    const char *study, *series, *instance;
    const char *variant;
    const char *downloader; /* section name */
    uint64_t bytes;
    const char *sha256; /* hex, of the bytes stored; not with TROLLEY_DOWNLOAD_NO_HASHES */
    const char *previous_sha256;
    const char *path;
    const char *transfer_syntax;
    const char *message;
    /* More than 1: so many instances of this study or series are not there, and nobody named them;
     * 0 and 1: it is about one. */
    uint32_t instances;
};

/* Counts so far. Instances unless said otherwise. */
struct trolley_counts {
    uint64_t expected; /* 0 while unknown */
    uint64_t stored, skipped, replaced, missing, failed, ignored, unexpected, duplicate;
    uint64_t bytes; /* stored and replaced */
    double seconds;
    uint32_t verified; /* 0: no searcher said what to expect */
    uint32_t unverified_studies;
};

/* Gives the next reference. Returns 1 with *ref filled (texts valid until the next call), 0 at the
 * end, or a negative status. */
typedef int (*trolley_ref_source)(void *ctx, struct trolley_ref *ref, struct trolley_error *error);

#define TROLLEY_DOWNLOAD_OVERWRITE UINT32_C(1)        /* fetch again and replace */
#define TROLLEY_DOWNLOAD_VERIFY UINT32_C(2)           /* fetch again and compare */
#define TROLLEY_DOWNLOAD_REQUIRE_VERIFIED UINT32_C(4) /* unverified counts as partial */
#define TROLLEY_DOWNLOAD_DRY_RUN UINT32_C(8)          /* only remarks what would be requested */
#define TROLLEY_DOWNLOAD_NO_HASHES UINT32_C(16)       /* outcomes go without sha256 */

/* What one of the workers does. Borrowed for the call. */
struct trolley_worker {
    uint32_t number;               /* from 0, in order of first work */
    const char *downloader;        /* "wado-rs pacs-wado"; NULL: it waits for work */
    const struct trolley_ref *ref; /* the first of what it asks for */
    uint32_t count;                /* references of the request */
};

/* A download job. Exactly one of query, source and refs says what is wanted. Callbacks come from
 * worker threads, one at a time, while the call runs; all may be NULL. */
struct trolley_download_options {
    const struct trolley_query_builder *query;
    trolley_ref_source source;
    void *source_ctx;
    const char
        *output; /* replaces the storage's root; "tree" when the trolley has no storage; NULL */
    const char *downloader; /* only this one; NULL: all of the trolley, in order */
    uint32_t flags;         /* TROLLEY_DOWNLOAD_* */
    void (*outcome)(void *ctx, const struct trolley_outcome *outcome);
    void (*progress)(void *ctx, const struct trolley_counts *counts); /* some ten times a second */
    trolley_remark_sink remark;
    void *ctx; /* of outcome, progress, remark and worker */
    /* Of struct trolley_ref, any mixture of levels; those of one study in a row are one job.
     * TROLLEY_SPAN of <trolley/helpers.h> makes one of an array. */
    struct trolley_span refs;
    /* A storage of the caller's own in place of the trolley's: operations as <trolley/storage.h>
     * says, called by several threads as it says, never after this call has returned; it needs no
     * plugin and no section. NULL: the trolley's. Not together with `output`. */
    const struct trolley_storage_ops *storage;
    void *storage_self; /* `self` of its operations */
    /* As a request begins and ends. */
    void (*worker)(void *ctx, const struct trolley_worker *worker);
};

/*
 * Downloads: what is asked for is expanded to instances by the searcher, where there is one;
 * fetched by the downloaders, each getting what those before it could not deliver, with retries;
 * checked against what was asked; stored; and reported one by one.
 * @param ret_counts  set in every case, a failure too; may be NULL.
 * Returns TROLLEY_OK when everything asked for is stored or skipped; TROLLEY_ERR_PARTIAL when
 * something is missing or failed; TROLLEY_ERR_NOT_FOUND when a query matched nothing, or nothing
 * was delivered; TROLLEY_ERR_AUTH or TROLLEY_ERR_NO_SPACE when that was why nothing was;
 * TROLLEY_ERR_CANCELLED; TROLLEY_ERR_INVALID_ARG (no job, or more than one); or what kept it from
 * starting.
 */
int trolley_download(struct trolley *trolley, const struct trolley_download_options *options,
                     struct trolley_counts *ret_counts, struct trolley_error *error);

/*
 * Takes instances as they come, without any storage. Functions return 0, or another value to stop
 * the whole fetch, which then returns that value. They come from worker threads: begin and end one
 * at a time, write of one item by one thread, of several items at once when the downloaders fetch
 * in parallel (max_parallel). Every item that was begun gets one end.
 */
struct trolley_fetch_sink {
    void *ctx;
    /* An item begins. `meta` has what is known so far: its UIDs may be NULL, and they are as the
     * downloader told them. *item is the handle for write and end. */
    int32_t (*begin)(void *ctx, const struct trolley_meta *meta, void **item);
    /* The next bytes, just as the server sent them; for DICOM a whole PS3.10 file from its
     * preamble on. Borrowed. */
    int32_t (*write)(void *item, const void *data, uint64_t length);
    /* The item ends. With `meta`: it came whole; the UIDs are checked to be what was asked for,
     * size_hint is its length. NULL: it broke, was not asked for, or came twice, and its bytes are
     * to be thrown away; it may be begun again. Frees the item; the value returned for a NULL meta
     * is not looked at. */
    int32_t (*end)(void *item, const struct trolley_meta *meta);
};

/*
 * trolley_download into a sink: the same expansion, retries, checks and outcomes; what was taken is
 * TROLLEY_OUTCOME_STORED, with no path. `output` and `storage` of the options are NULL; of the
 * flags, TROLLEY_DOWNLOAD_REQUIRE_VERIFIED and TROLLEY_DOWNLOAD_DRY_RUN mean something, others are
 * INVALID_ARG. Returns as trolley_download, or the value with which the sink stopped it.
 */
int trolley_fetch(struct trolley *trolley, const struct trolley_download_options *options,
                  const struct trolley_fetch_sink *sink, struct trolley_counts *ret_counts,
                  struct trolley_error *error);

/* Asks every backend of the trolley for a sign of life; `each` gets 0 or the failure of each. */
int trolley_ping(struct trolley *trolley,
                 void (*each)(void *ctx, const char *component, int status, const char *message,
                              double seconds),
                 void *ctx, struct trolley_error *error);

#ifdef __cplusplus
}
#endif
#endif
