/*
 * schema_prefetch.c: the keys of the sections that core/prefetch reads. Aliases are the names that
 * dcm4chee's configuration in LDAP gives them. SPDX-License-Identifier: MIT
 */
#include <trolley/helpers.h>

#include "core/config/schema.h"

static const struct trolley_option schema_prefetch[] = {
    {OPTION(PATH, "state_dir", "/var/lib/trolley/prefetch", "folder of the tasks' database")},
    {OPTION(BOOL, "on_download", "no", "what `download` has stored counts as arrived")},
};

#define SCHEMA_SCHEDULE(about)                                                    \
    {                                                                             \
        OPTION(LIST, "schedule", NULL, about), .aliases = "dcmSchedule",          \
                                               .metavar = "hour=18-6 dayOfWeek=*" \
    }

static const struct trolley_option schema_rule[] = {
    {OPTION(CHOICE, "entity", NULL, "what one task is about"), .choices = "Study,Series,Instance",
     .aliases = "dcmEntity", .flags = TROLLEY_OPTION_REQUIRED},
    {OPTION(LIST, "exporter", NULL, "what is done with it"), .choices = "exporter",
     .aliases = "exporter_id, dcmExporterID", .metavar = "NAME",
     .flags = CONFIG_OPTION_NAMES | TROLLEY_OPTION_REQUIRED},
    {OPTION(DURATION, "delay", "0", "how long nothing more may arrive before it is done"),
     .aliases = "dcmDuration", .metavar = "PT1M"},
    {OPTION(DURATION, "max_delay", NULL, "longest time from the first arrival; 0: no bound")},
    {OPTION(DURATION, "jitter", "0", "up to so much is added to the delay, at random")},
    {OPTION(LIST, "condition", NULL, "which objects; all must hold: ATTRIBUTE[n]!=EXPRESSION"),
     .aliases = "dcmProperty", .metavar = "Modality=CT|MR"},
    SCHEMA_SCHEDULE("when arrivals count; others are dropped"),
    {OPTION(CHOICE, "reoccurred", "replace", "what becomes of objects that arrive again"),
     .choices = "never,always,replace",
     .aliases = "export_reoccurred_instances, dcmExportReoccurredInstances"},
    {OPTION(
         BOOL, "export_previous_entity", "no",
         "objects that left a study or series for another one count as an arrival in the old one"),
     .aliases = "dcmExportPreviousEntity"},
};

static const struct trolley_option schema_exporter[] = {
    {OPTION(URL, "uri", NULL, "what is requested: [0] study, [1] series, [2] instance, [3] frame"),
     .aliases = "url, dcmURI", .flags = TROLLEY_OPTION_REQUIRED | CONFIG_OPTION_TEMPLATE},
    {OPTION(URL, "url.", NULL, "further URLs: url.1, url.2, ..."),
     .flags = TROLLEY_OPTION_PREFIX | CONFIG_OPTION_TEMPLATE, .metavar = "http://..."},
    {OPTION(STRING, "accept", NULL, "media types asked for"), .metavar = "image/jpeg"},
    {OPTION(STRING, "accept.", NULL, "the same for url.N"), .flags = TROLLEY_OPTION_PREFIX},
    {OPTION(STRING, "accept_encoding", NULL, "Accept-Encoding sent with it")},
    {OPTION(STRING, "accept_encoding.", NULL, "the same for url.N"),
     .flags = TROLLEY_OPTION_PREFIX},
    {OPTION(STRING, "cache_control", NULL, "Cache-Control sent with it"), .metavar = "no-cache"},
    {OPTION(STRING, "cache_control.", NULL, "the same for url.N"), .flags = TROLLEY_OPTION_PREFIX},
    {OPTION(COMPONENT, "storage", NULL, "keeps what comes; without it, it is read and dropped"),
     .choices = "storage", .aliases = "storage_id, StorageID"},
    {OPTION(COMPONENT, "storage.", NULL, "the same for url.N"), .choices = "storage",
     .flags = TROLLEY_OPTION_PREFIX},
    {OPTION(COMPONENT, "storageid.", NULL, "storage.N as dcm4chee writes it"), .choices = "storage",
     .flags = TROLLEY_OPTION_PREFIX | TROLLEY_OPTION_ADVANCED},
    {OPTION(LIST, "header", NULL, "header field sent with each request, `Name: value`"),
     .flags = CONFIG_OPTION_HEADER, .metavar = "X-Purpose: prefetch"},
    {OPTION(COMPONENT, "queue", NULL, "the queue of its tasks; `default` when not given"),
     .choices = "queue", .aliases = "queue_name, dcmQueueName"},
    {OPTION(COMPONENT, "searcher", NULL, "names series, instances and their frames"),
     .choices = "searcher"},
    {OPTION(
         COMPONENT, "metadata", NULL,
         "wado-rs-metadata or the like: tells what has pixels, where the searcher returns no Rows"),
     .choices = "downloader", .flags = TROLLEY_OPTION_ADVANCED},
    SCHEMA_SCHEDULE("when it works; tasks wait for it"),
    {OPTION(BOOL, "ignore_not_found", "no", "404 and 410 are no failures")},
    {OPTION(INT, "parallel_requests", "4", "requests of one task at a time"), .min = 1, .max = 64},
    {OPTION(SIZE, "max_bytes", NULL, "largest answer taken; 0: no bound")},
    {OPTION(CHOICE, "retry_scope", "failed", "what a retry repeats"), .choices = "failed,all"},
    {OPTION(CHOICE, "verify_unique", "no", "tell of different frames or sizes that look the same"),
     .choices = "no,warn"},
    {OPTION(LIST, "property", NULL,
            "KEY=VALUE for another key of this section, as dcm4chee has it"),
     .aliases = "dcmProperty", .flags = TROLLEY_OPTION_ADVANCED, .metavar = "Accept=image/jpeg"},
};

#define SCHEMA_PURGE(name, about, ldap)                                       \
    {                                                                         \
        OPTION(DURATION, name, NULL, about), .aliases = ldap, .metavar = "7d" \
    }

static const struct trolley_option schema_queue[] = {
    {OPTION(INT, "max_parallel", "1", "tasks at a time"), .min = 1, .max = 256,
     .aliases = "dcmMaxTasksParallel"},
    {OPTION(INT, "max_retries", "0", "how often a failed task is repeated"), .min = 0,
     .max = 1000000, .aliases = "dcmMaxRetries"},
    {OPTION(DURATION, "retry_delay", "PT1M", "wait before the first retry"),
     .aliases = "dcmRetryDelay"},
    {OPTION(INT, "retry_multiplier", "100", "each delay in percent of the one before"), .min = 1,
     .max = 100000, .aliases = "retry_delay_multiplier, dcmRetryDelayMultiplier"},
    {OPTION(DURATION, "max_retry_delay", NULL, "longest delay; 0: no bound"),
     .aliases = "dcmMaxRetryDelay"},
    {OPTION(BOOL, "retry_on_warning", "no", "repeat tasks of which some requests failed"),
     .aliases = "dcmRetryOnWarning"},
    SCHEMA_SCHEDULE("when its tasks run; it pauses else"),
    SCHEMA_PURGE("purge_completed", "age at which completed tasks are forgotten",
                 "dcmPurgeTaskCompletedDelay, dcmPurgeQueueMessageCompletedDelay"),
    SCHEMA_PURGE("purge_warning", "age at which tasks with warnings are forgotten",
                 "dcmPurgeTaskWarningDelay, dcmPurgeQueueMessageWarningDelay"),
    SCHEMA_PURGE("purge_failed", "age at which failed tasks are forgotten",
                 "dcmPurgeTaskFailedDelay, dcmPurgeQueueMessageFailedDelay"),
    SCHEMA_PURGE("purge_canceled", "age at which canceled tasks are forgotten",
                 "dcmPurgeTaskCanceledDelay, dcmPurgeQueueMessageCanceledDelay"),
};

static const struct trolley_option schema_watch[] = {
    {OPTION(COMPONENT, "searcher", NULL, "is asked what is there"), .choices = "searcher",
     .flags = TROLLEY_OPTION_REQUIRED},
    {OPTION(LIST, "query", NULL, "KEY=VALUE of the query, as `find` takes it"),
     .metavar = "StudyDate=today"},
    {OPTION(DURATION, "interval", "PT1M", "from one question to the next"), .min = 1000,
     .max = INT64_MAX},
    {OPTION(CHOICE, "detect", "counts", "what tells a change: numbers of objects, or their UIDs"),
     .choices = "counts,uids"},
    {OPTION(CHOICE, "baseline", "record", "what the first answer means: known already, or new"),
     .choices = "record,export"},
};

#define SCHEMA_KIND(kind)                  \
    {                                      \
#kind, TROLLEY_SPAN(schema_##kind) \
    }

const struct schema_kind schema_prefetch_kinds[] = {
    SCHEMA_KIND(prefetch), SCHEMA_KIND(rule),  SCHEMA_KIND(exporter),
    SCHEMA_KIND(queue),    SCHEMA_KIND(watch),
};
const size_t schema_prefetch_count = sizeof schema_prefetch_kinds / sizeof schema_prefetch_kinds[0];
