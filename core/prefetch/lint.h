/* lint.h: what a person should know about the settings before they run. SPDX-License-Identifier:
 * MIT
 */
#ifndef CORE_PREFETCH_LINT_H
#define CORE_PREFETCH_LINT_H

#include "core/prefetch/export.h"

/* One remark on the settings. Borrowed for the call. */
struct prefetch_finding {
    /* enum trolley_log_level: ERROR cannot work, WARNING may not do what is meant, INFO good to
     * know. */
    uint32_t severity;
    const char *section; /* "exporter WADO-JPEG" */
    const char *message; /* one line, safe for a terminal */
};

struct prefetch_lint_callbacks {
    void *ctx;
    void (*finding)(void *ctx, const struct prefetch_finding *finding);
    /* Each URL of each exporter as it would read for the example. May be NULL. */
    void (*url)(void *ctx, const struct prefetch_exporter *exporter,
                const struct prefetch_request *request, const char *url);
};

/*
 * For `prefetch check`: looks through the settings, opens what they name (searchers, storages and
 * their plugins, sessions) without any network I/O, and tells in order of the file:
 *  - ERROR: a searcher, storage or session that cannot be opened; a searcher that does not return
 *    the level that a URL asks for; a storage that needs an instance UID for a URL without one;
 *    objects of one URL that would take each other's place
 *  - WARNING: what is no placeholder but looks like one; a frame without its instance; a
 *    placeholder in a host name; codings that no answer can be read in; several rules of different
 *    entities for one exporter; rules that nothing triggers; frames without a storage nor a proxy
 *    that is told to look again
 *  - INFO: exporters of no rule; queues without retries; log-in before a cache
 * `example`: the scope whose URLs are shown, all three UIDs set; NULL: made-up UIDs.
 * Returns 0 when there was no ERROR, INVALID_CONFIG when there was, NOMEM.
 */
int prefetch_lint(struct trolley_setup *setup, const struct prefetch_settings *settings,
                  const struct prefetch_scope *example,
                  const struct prefetch_lint_callbacks *callbacks, struct trolley_error *error);

#endif
