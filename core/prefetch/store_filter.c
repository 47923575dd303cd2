/* SPDX-License-Identifier: MIT */
#include "core/prefetch/store_filter.h"

#include <inttypes.h>

#include "kit/buffer.h"

static int filter_numbers(struct kit_buffer *sql, const struct trolley_prefetch_filter *filter)
{
    uint32_t i;
    int r = 0;

    if (filter->ids) {
        r = kit_buffer_text(sql, " AND id IN (");
        for (i = 0; r == 0 && i < filter->id_count; i++)
            r = kit_buffer_printf(sql, "%s%" PRId64, i ? "," : "", filter->ids[i]);
        if (r == 0) r = kit_buffer_text(sql, ")");
    }
    if (r == 0 && filter->states) {
        r = kit_buffer_text(sql, " AND state IN (0");
        for (i = 1; r == 0 && i <= TROLLEY_PREFETCH_RETRY; i++)
            if (filter->states & TROLLEY_PREFETCH_STATE_BIT(i))
                r = kit_buffer_printf(sql, ",%u", (unsigned)i);
        if (r == 0) r = kit_buffer_text(sql, ")");
    }
    if (r == 0 && filter->since_ms)
        r = kit_buffer_printf(sql, " AND changed_ms >= %" PRId64, filter->since_ms);
    if (r == 0 && filter->until_ms)
        r = kit_buffer_printf(sql, " AND changed_ms <= %" PRId64, filter->until_ms);
    return r;
}

static int filter_sql(struct kit_buffer *sql, const char *head,
                      const struct trolley_prefetch_filter *filter, const char *and,
                      const char *tail)
{
    int r = kit_buffer_printf(sql, "%s WHERE 1", head);

    if (r == 0) r = filter_numbers(sql, filter);
    if (r == 0 && filter->exporter) r = kit_buffer_text(sql, " AND exporter = ?1");
    if (r == 0 && filter->study) r = kit_buffer_text(sql, " AND study = ?2");
    if (r == 0 && filter->batch) r = kit_buffer_text(sql, " AND batch = ?3");
    if (r == 0 && and) r = kit_buffer_printf(sql, " AND %s", and);
    if (r == 0 && tail) r = kit_buffer_printf(sql, " %s", tail);
    return r;
}

int store_filter_prepare(struct prefetch_store *store, const char *head,
                         const struct trolley_prefetch_filter *filter, const char *and,
                         const char *tail, sqlite3_stmt **ret_statement,
                         struct trolley_error *error)
{
    struct kit_buffer sql = {.cap = 4 << 20};
    sqlite3_stmt *statement = NULL;
    int r = filter_sql(&sql, head, filter, and, tail);

    if (r < 0) {
        kit_buffer_free(&sql);
        return error_set(error, r, "task store: too many tasks are named");
    }
    if (sqlite3_prepare_v2(store->db, sql.data, -1, &statement, NULL) != SQLITE_OK)
        r = store_fail(store, error);
    kit_buffer_free(&sql);
    if (r < 0) return r;
    /* Out of range where the filter has none of it. */
    (void)sqlite3_bind_text(statement, 1, filter->exporter, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 2, filter->study, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 3, filter->batch, -1, SQLITE_STATIC);
    *ret_statement = statement;
    return 0;
}
