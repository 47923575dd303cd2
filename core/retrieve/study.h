/*
 * study.h: the study in hand: what is expected of it and what has become of each object.
 * Bookkeeping is some 120 bytes an instance, released with the study. Not locked: the run's lock
 * guards it. SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_STUDY_H
#define CORE_RETRIEVE_STUDY_H

#include <stdbool.h>

#include "core/model/arena.h"
#include "core/model/hash.h"
#include "core/plugin/task.h"
#include "kit/uid.h"

enum entry_state {
    ENTRY_PENDING = 0, /* not there yet */
    ENTRY_ARRIVING,    /* an item with its UIDs is open */
    ENTRY_DONE,        /* stored, replaced or skipped; for a study or series entry: delivered */
    ENTRY_IGNORED,     /* an error that the INI file says to ignore */
    ENTRY_NAMED        /* a series whose instances have entries of their own by now */
};

#define ENTRY_PERMANENT 1u  /* asking this downloader again cannot help */
#define ENTRY_SINGLY 2u     /* a wider request did not bring it: ask for it by its own UID */
#define ENTRY_FAILED_NOW 4u /* the running request told its failure */
#define ENTRY_BROKEN 8u     /* its bytes came, broken or not storable */
#define ENTRY_TRANSIENT 16u /* the last failure may pass */
#define ENTRY_UNASKED 32u   /* it came with a wider request that was meant to bring everything */
#define ENTRY_HOPELESS 64u  /* no downloader is asked: the searcher could not say what it is */
#define ENTRY_COUNTED 128u  /* a series: its instances can be named where their count is not met */

#define ENTRY_NONE UINT32_MAX

/* One object: an instance; or, where no searcher can name instances or they are only counted yet, a
 * series or the study asked for. */
struct entry {
    const char *uid;                     /* SOP Instance UID; NULL for a study or series entry */
    uint32_t series;                     /* index, ENTRY_NONE for a study entry */
    uint32_t next_in_series;             /* index, ENTRY_NONE at the end */
    uint32_t failure;                    /* index into failures, 0 none */
    uint16_t sop_class, transfer_syntax; /* index into names, 0 unknown */
    uint32_t request;                    /* the request that brought it, 0 none yet */
    uint8_t level, state, attempts, flags;
    uint16_t variant;  /* of the item that came last: index into names, 0 the instance itself */
    uint16_t arriving; /* items of it that are open */
};

struct series {
    const char *uid;
    uint32_t first, last; /* entries */
    uint32_t entries;
    uint32_t instances; /* that are known by name or came: entries of that level */
    uint32_t due;       /* of the round: see plan.c */
    uint32_t related;   /* instances it has by somebody's count, 0 unknown */
    bool whole;         /* the series as such was asked for */
    bool singly;        /* of the round: some entry must be asked for by its own UID */
    bool arrived;       /* something of it is there already */
    bool blind;         /* its instances are not known: only the series can be asked for */
};

struct study {
    struct study *next;
    char uid[KIT_UID_MAX + 1];
    bool whole;    /* the study as such was asked for */
    bool naming;   /* in hand, and the searcher is being asked for its names; see counts.h */
    bool doubtful; /* the searcher's answer was not all, or came with warnings */
    struct entry *entries;
    struct series *series;
    struct task_failure *failures; /* [0] is unused */
    const char **names;            /* interned SOP classes and transfer syntaxes; [0] is NULL */
    uint32_t entry_count, entry_room, series_count, series_room;
    uint32_t failure_count, failure_room, name_count, name_room;
    uint32_t *slots; /* open hash of instance entries, index + 1 */
    uint32_t slot_count;
    struct hash_key hash_key;
    struct arena arena; /* every text of the study */
    uint32_t related;   /* instances it has by somebody's count, 0 unknown */
    uint32_t requests;  /* made so far */
    uint64_t expected;  /* as study_expect last said */

    /* the round in progress; see plan.h and run.c */
    size_t downloader; /* whose turn it is */
    uint32_t round;    /* of this downloader, from 0 */
    uint32_t delays;   /* rounds of this downloader that had to wait */
    uint32_t cursor_series, cursor_entry;
    bool cursor_study; /* one request for the whole study is still to be given out */
    bool planned, advancing;
    uint32_t outstanding; /* chunks being fetched */
    int64_t not_before;   /* CLOCK_MONOTONIC ms */
    uint64_t retry_after_ms;
    bool backoff; /* something of the round failed in a way that may pass */
};

struct study *study_new(const char *uid);
void study_free(struct study *study);

/* Is it a counted series whose instances are not named yet? */
static inline bool entry_is_counted(const struct entry *entry)
{
    return entry->state == ENTRY_PENDING && (entry->flags & ENTRY_COUNTED);
}

/* The index of a series, made when it is new. Negative: TROLLEY_ERR_NOMEM. */
int study_series(struct study *study, const char *uid, uint32_t *ret_index);

/* The index of a series, ENTRY_NONE when there is none. */
uint32_t study_find_series(const struct study *study, const char *uid);

/*
 * Adds an entry of the level; an instance that is there already is returned, as one that was named.
 * sop_class and transfer_syntax may be NULL. Errors: NOMEM, TOO_LARGE (more than 2^31 entries).
 */
int study_add(struct study *study, uint32_t level, const char *series_uid, const char *uid,
              const char *sop_class, const char *transfer_syntax, uint32_t *ret_index);

/*
 * Somebody counted the instances of the study or series that `ref` means. Kept where its instances
 * are not named; the highest count stands.
 */
void study_count(struct study *study, const struct trolley_ref *ref, uint32_t related);

/*
 * The instances of a counted series (its index; ENTRY_NONE: of all of them) have been added by
 * name: from here on they are what is expected. They take over what the series' entry went through.
 */
void study_named(struct study *study, uint32_t series);

/*
 * How many instances more (or fewer) are expected of it than when this was last asked: of each
 * series and of the study those that are known, be it by name or because they came, or its count
 * where that is higher. It follows from what the study holds, so that names, counts and instances
 * may come in any order.
 */
int64_t study_expect(struct study *study);

/* Is it known what is expected: are all instances named, or at least counted? */
bool study_is_verified(const struct study *study);

/* How many instances came beyond what the searcher named or counted. */
uint64_t study_extra(const struct study *study);

/* How many instances of the study (series ENTRY_NONE) or of one series are there. */
uint32_t study_delivered(const struct study *study, uint32_t series);

/* How many of its instances are known, be they there or not. */
uint32_t study_known(const struct study *study, uint32_t series);

/* The index of a name, kept when it is new; 0 for none. */
uint16_t study_name(struct study *study, const char *text);

/* The entry of a SOP Instance UID, ENTRY_NONE when there is none. */
uint32_t study_lookup(const struct study *study, const char *uid);

/* An entry as a reference; texts live as long as the study. */
void study_ref(const struct study *study, const struct entry *entry, struct trolley_ref *ret_ref);
void study_series_ref(const struct study *study, uint32_t series, struct trolley_ref *ret_ref);
void study_study_ref(const struct study *study, struct trolley_ref *ret_ref);

/* Keeps a failure for the entry. Equal ones in a row are kept once. */
void study_fail(struct study *study, struct entry *entry, const struct task_failure *failure);

/* The same for one that the running request told. `flags` are ENTRY_BROKEN or 0. */
void study_fail_now(struct study *study, struct entry *entry, const struct task_failure *failure,
                    uint8_t flags);

/* Its message, "" when there is none. */
const char *study_failure_text(const struct study *study, const struct entry *entry);
int32_t study_failure_status(const struct study *study, const struct entry *entry);

#endif
