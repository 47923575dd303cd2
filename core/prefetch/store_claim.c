/* store_claim.c: taking tasks up and writing down how they ended. SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/prefetch/store_db.h"

static void claim_part(char *out, const char *text)
{
    (void)snprintf(out, KIT_UID_MAX + 1, "%s", strcmp(text, "*") == 0 ? "" : text);
}

/* The next due task of the exporter: 1, 0 or negative. */
static int claim_next(struct prefetch_store *store, const char *exporter, const char *urls,
                      int64_t now_ms, struct prefetch_claim *claim, struct trolley_error *error)
{
    static const char sql[] =
        "SELECT id, study, series, instance, retries,"
        " CASE WHEN urls = ?3 THEN generation ELSE 0 END FROM task t WHERE " STORE_PENDING
        " AND exporter = ?1 AND due_ms <= ?2 AND NOT EXISTS (SELECT 1 FROM task b"
        " WHERE b.busy = 1 AND b.exporter = t.exporter AND b.study = t.study"
        " AND (b.series = '*' OR t.series = '*' OR (b.series = t.series"
        " AND (b.instance = '*' OR t.instance = '*' OR b.instance = t.instance))))"
        " ORDER BY due_ms, id LIMIT 1";
    sqlite3_stmt *statement;
    int r = store_start(store, &statement, error, sql, "tit", exporter, now_ms, urls), step;

    if (r < 0) return r;
    step = sqlite3_step(statement);
    if (step == SQLITE_ROW) {
        claim->id = sqlite3_column_int64(statement, 0);
        claim_part(claim->study, store_text(statement, 1));
        claim_part(claim->series, store_text(statement, 2));
        claim_part(claim->instance, store_text(statement, 3));
        claim->retries = (uint32_t)sqlite3_column_int64(statement, 4);
        claim->generation = (uint32_t)sqlite3_column_int64(statement, 5);
        r = 1;
    } else if (step != SQLITE_DONE) {
        r = store_fail(store, error);
    }
    store_finish(statement);
    return r;
}

static int claim_take(struct prefetch_store *store, const char *exporter, const char *urls,
                      int64_t now_ms, struct prefetch_claim *claim, struct trolley_error *error)
{
    int r = claim_next(store, exporter, urls, now_ms, claim, error), done;

    if (r <= 0) return r;
    done = store_do(store, error,
                    "UPDATE task SET state = 2, busy = 1, started_ms = ?2, changed_ms = ?2,"
                    " generation = ?3 WHERE id = ?1",
                    "iii", claim->id, now_ms, (int64_t)claim->generation);
    /* A run that broke off may have left some of what it was to leave at its end. */
    if (done >= 0) done = prefetch_store_failed_drop(store, claim->id, claim->generation, error);
    return done < 0 ? done : r;
}

int prefetch_store_claim(struct prefetch_store *store, const char *exporter, const char *urls,
                         int64_t now_ms, struct prefetch_claim *ret_claim,
                         struct trolley_error *error)
{
    struct prefetch_claim claim;
    int64_t due = INT64_MAX;
    /* Mostly there is nothing, which needs no lock of the file. */
    int r = prefetch_store_next(store, exporter, &due, error);

    if (r < 0 || due > now_ms) return r < 0 ? r : 0;
    r = prefetch_store_begin(store, error);
    if (r < 0) return r;
    r = claim_take(store, exporter, urls, now_ms, &claim, error);
    r = prefetch_store_end(store, r, error);
    if (r == 1) *ret_claim = claim;
    return r;
}

/* ---- how it ended --------------------------------------------------------------------------- */

/* The key of a task in hand. */
static int ending_key(struct prefetch_store *store, int64_t id, char *exporter, size_t size,
                      struct trolley_error *error)
{
    sqlite3_stmt *statement;
    int r = store_start(store, &statement, error, "SELECT exporter FROM task WHERE id = ?1", "i",
                        id),
        step;

    if (r < 0) return r;
    step = sqlite3_step(statement);
    if (step == SQLITE_ROW) {
        (void)snprintf(exporter, size, "%s", store_text(statement, 0));
        r = 1;
    } else if (step != SQLITE_DONE) {
        r = store_fail(store, error);
    }
    store_finish(statement);
    return r;
}

/* Is there a pending task that does it all again anyway? Then it waits no less than this would. */
static int ending_superseded(struct prefetch_store *store, const struct prefetch_claim *claim,
                             const struct prefetch_ending *ending, struct store_pending *ret_task,
                             struct trolley_error *error)
{
    char exporter[1024];
    struct prefetch_key key = {exporter,
                               {claim->study, claim->series[0] ? claim->series : NULL,
                                claim->instance[0] ? claim->instance : NULL}};
    int r = ending_key(store, claim->id, exporter, sizeof exporter, error);

    if (r > 0) r = store_covering(store, &key, ret_task, error);
    if (r <= 0 || ending->due_ms <= ret_task->due_ms) return r;
    r = store_do(store, error, "UPDATE task SET due_ms = ?2 WHERE id = ?1", "ii", ret_task->id,
                 ending->due_ms);
    return r < 0 ? r : 1;
}

static int ending_write(struct prefetch_store *store, const struct prefetch_claim *claim,
                        const struct prefetch_ending *ending, uint32_t state, const char *message,
                        int64_t now_ms, struct trolley_error *error)
{
    static const struct prefetch_result none;
    const struct prefetch_result *result = ending->result ? ending->result : &none;
    bool ended = state != TROLLEY_PREFETCH_SCHEDULED, retry = state == TROLLEY_PREFETCH_RETRY;
    bool repeat = retry && !ending->everything;

    return store_do(
        store, error,
        "UPDATE task SET state = CASE WHEN ?2 = 1 AND retries > 0 THEN 7 ELSE ?2 END,"
        " changed_ms = ?3, ended_ms = CASE WHEN ?4 THEN ?3 ELSE ended_ms END,"
        " retries = retries + ?5, due_ms = CASE WHEN ?5 THEN ?6 ELSE due_ms END,"
        " timed = CASE WHEN ?5 THEN 0 ELSE timed END, first_ms = CASE WHEN ?5 THEN ?3 ELSE first_ms"
        " END, generation = CASE WHEN ?4 THEN ?7 ELSE generation END, urls = ?8, message = ?9,"
        " requested = ?10, succeeded = ?11, failed = ?12, not_found = ?13, bytes = ?14,"
        " cache_hit = ?15, cache_miss = ?16, cache_bypass = ?17 WHERE id = ?1 AND state = 2",
        "iiiiiiittiiiiiiii", claim->id, (int64_t)state, now_ms, (int64_t)ended, (int64_t)retry,
        ending->due_ms, (int64_t)(repeat ? claim->generation + 1 : 0), ending->urls, message,
        (int64_t)result->requested, (int64_t)result->succeeded, (int64_t)result->failed,
        (int64_t)result->not_found, (int64_t)result->bytes, (int64_t)result->cache_hit,
        (int64_t)result->cache_miss, (int64_t)result->cache_bypass);
}

static int ending_all(struct prefetch_store *store, const struct prefetch_claim *claim,
                      const struct prefetch_ending *ending, int64_t now_ms, uint32_t *ret_state,
                      struct trolley_error *error)
{
    const struct prefetch_result *result = ending->result;
    uint32_t state = ending->state, keep;
    struct store_pending other;
    char message[sizeof result->message + 80];
    int64_t now_is = 0;
    int r = 0;

    (void)snprintf(message, sizeof message, "%s", result ? result->message : "");
    if (state == TROLLEY_PREFETCH_RETRY || state == TROLLEY_PREFETCH_SCHEDULED)
        r = ending_superseded(store, claim, ending, &other, error);
    if (r > 0) {
        state = result && result->outcome == PREFETCH_WARNING ? TROLLEY_PREFETCH_WARNING
                                                              : TROLLEY_PREFETCH_FAILED;
        (void)snprintf(message, sizeof message, "%.*s; task %" PRId64 " does it again",
                       (int)sizeof result->message - 1, result ? result->message : "interrupted",
                       other.id);
    }
    if (r >= 0) r = ending_write(store, claim, ending, state, message, now_ms, error);
    if (r >= 0)
        r = store_do(store, error, "UPDATE task SET busy = 0 WHERE id = ?1", "i", claim->id);
    keep = state == TROLLEY_PREFETCH_SCHEDULED                      ? claim->generation
           : state == TROLLEY_PREFETCH_RETRY && !ending->everything ? claim->generation + 1
                                                                    : 0;
    if (r >= 0) r = prefetch_store_failed_drop(store, claim->id, keep, error);
    if (r >= 0)
        r = store_number(store, &now_is, error, "SELECT state FROM task WHERE id = ?1", "i",
                         claim->id);
    *ret_state = (uint32_t)now_is;
    return r < 0 ? r : 0;
}

int prefetch_store_finish(struct prefetch_store *store, const struct prefetch_claim *claim,
                          const struct prefetch_ending *ending, int64_t now_ms, uint32_t *ret_state,
                          struct trolley_error *error)
{
    uint32_t state = 0;
    int r = prefetch_store_begin(store, error);

    if (r < 0) return r;
    r = ending_all(store, claim, ending, now_ms, &state, error);
    r = prefetch_store_end(store, r, error);
    if (r == 0) *ret_state = state;
    return r;
}

int prefetch_store_runs(struct prefetch_store *store, int64_t id, struct trolley_error *error)
{
    int64_t state = 0;
    int r = store_number(store, &state, error, "SELECT state FROM task WHERE id = ?1", "i", id);

    return r < 0 ? r : state == TROLLEY_PREFETCH_IN_PROCESS;
}
