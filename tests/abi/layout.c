/*
 * layout.c: where every member of the contract lies and what every constant is worth, on machines
 * with pointers of 8 bytes. It is compiled, never run. sdk/VERSIONING.md says when a line may
 * change. SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <trolley/plugin.h>
#include <trolley/stored.h>

#if UINTPTR_MAX == UINT64_MAX
/* An open struct may grow at its end; a closed one has its size for ever. */
#define OPEN(name, size) static_assert(sizeof(struct trolley_##name) >= (size), #name " has shrunk")
#define CLOSED(name, size) \
    static_assert(sizeof(struct trolley_##name) == (size), #name " is closed: its size is frozen")
#define AT(name, member, offset) \
    static_assert(offsetof(struct trolley_##name, member) == (offset), #name "." #member)

/* auth.h */
OPEN(auth_request, 56);
AT(auth_request, size, 0);
AT(auth_request, reserved, 4);
AT(auth_request, impl, 8);
AT(auth_request, method, 16);
AT(auth_request, url, 24);
AT(auth_request, set_header, 32);
AT(auth_request, add_query, 40);
AT(auth_request, set_scheme, 48);
OPEN(auth_http, 24);
AT(auth_http, size, 0);
AT(auth_http, reserved, 4);
AT(auth_http, impl, 8);
AT(auth_http, send, 16);
OPEN(auth_response, 56);
AT(auth_response, size, 0);
AT(auth_response, status, 4);
AT(auth_response, url, 8);
AT(auth_response, content_type, 16);
AT(auth_response, headers, 24);
AT(auth_response, body, 40);
AT(auth_response, body_length, 48);
OPEN(auth_ops, 24);
AT(auth_ops, size, 0);
AT(auth_ops, reserved, 4);
AT(auth_ops, prepare, 8);
AT(auth_ops, challenge, 16);

/* downloader.h */
OPEN(meta, 88);
AT(meta, size, 0);
AT(meta, frame, 4);
AT(meta, study, 8);
AT(meta, series, 16);
AT(meta, instance, 24);
AT(meta, sop_class, 32);
AT(meta, transfer_syntax, 40);
AT(meta, content_type, 48);
AT(meta, variant, 56);
AT(meta, size_hint, 64);
AT(meta, elements, 72);
CLOSED(dataset_sink, 48);
AT(dataset_sink, ctx, 0);
AT(dataset_sink, begin, 8);
AT(dataset_sink, write, 16);
AT(dataset_sink, end, 24);
AT(dataset_sink, failed, 32);
AT(dataset_sink, expect, 40);
OPEN(downloader_ops, 40);
AT(downloader_ops, size, 0);
AT(downloader_ops, reserved, 4);
AT(downloader_ops, fetch, 8);
AT(downloader_ops, preferred_level, 16);
AT(downloader_ops, batch, 24);
AT(downloader_ops, group_level, 32);
OPEN(delivers_interface, 16);
AT(delivers_interface, size, 0);
AT(delivers_interface, reserved, 4);
AT(delivers_interface, delivers, 8);

/* host.h */
OPEN(host, 32);
AT(host, size, 0);
AT(host, abi_minor, 4);
AT(host, impl, 8);
AT(host, log, 16);
AT(host, get_service, 24);
OPEN(dictionary_service, 32);
AT(dictionary_service, size, 0);
AT(dictionary_service, reserved, 4);
AT(dictionary_service, tag, 8);
AT(dictionary_service, keyword, 16);
AT(dictionary_service, vr, 24);
OPEN(task, 56);
AT(task, size, 0);
AT(task, reserved, 4);
AT(task, impl, 8);
AT(task, cancelled, 16);
AT(task, remaining_ms, 24);
AT(task, progress, 32);
AT(task, fail, 40);
AT(task, note, 48);
CLOSED(secret_sink, 16);
AT(secret_sink, ctx, 0);
AT(secret_sink, secret, 8);
OPEN(peer, 40);
AT(peer, size, 0);
AT(peer, reserved, 4);
AT(peer, impl, 8);
AT(peer, find, 16);
AT(peer, query_types, 24);
AT(peer, levels, 32);
OPEN(config, 72);
AT(config, size, 0);
AT(config, reserved, 4);
AT(config, impl, 8);
AT(config, section, 16);
AT(config, text, 24);
AT(config, integer, 32);
AT(config, list, 40);
AT(config, keys, 48);
AT(config, secret, 56);
AT(config, peer, 64);

/* http.h */
CLOSED(http_header, 16);
AT(http_header, name, 0);
AT(http_header, value, 8);
OPEN(http_request, 56);
AT(http_request, size, 0);
AT(http_request, flags, 4);
AT(http_request, method, 8);
AT(http_request, url, 16);
AT(http_request, headers, 24);
AT(http_request, body, 40);
AT(http_request, body_length, 48);
OPEN(http_response, 56);
AT(http_response, size, 0);
AT(http_response, status, 4);
AT(http_response, url, 8);
AT(http_response, content_type, 16);
AT(http_response, headers, 24);
AT(http_response, retry_after_ms, 40);
AT(http_response, content_length, 48);
CLOSED(http_handler, 24);
AT(http_handler, ctx, 0);
AT(http_handler, head, 8);
AT(http_handler, body, 16);
OPEN(http_service, 32);
AT(http_service, size, 0);
AT(http_service, reserved, 4);
AT(http_service, open, 8);
AT(http_service, close, 16);
AT(http_service, request, 24);

/* option.h */
OPEN(option, 80);
AT(option, size, 0);
AT(option, type, 4);
AT(option, flags, 8);
AT(option, reserved, 12);
AT(option, key, 16);
AT(option, aliases, 24);
AT(option, default_text, 32);
AT(option, choices, 40);
AT(option, min, 48);
AT(option, max, 56);
AT(option, help, 64);
AT(option, metavar, 72);

/* plugin.h */
OPEN(component, 96);
AT(component, size, 0);
AT(component, kind, 4);
AT(component, summary, 8);
AT(component, flags, 16);
AT(component, options, 24);
AT(component, query_types, 32);
AT(component, levels, 40);
AT(component, reserved, 44);
AT(component, open, 48);
AT(component, close, 56);
AT(component, create, 64);
AT(component, destroy, 72);
AT(component, ops, 80);
AT(component, get_interface, 88);
OPEN(plugin, 48);
AT(plugin, size, 0);
AT(plugin, abi_minor, 4);
AT(plugin, name, 8);
AT(plugin, version, 16);
AT(plugin, license, 24);
AT(plugin, summary, 32);
AT(plugin, components, 40);
OPEN(ping_interface, 16);
AT(ping_interface, size, 0);
AT(ping_interface, reserved, 4);
AT(ping_interface, ping, 8);

/* query.h */
OPEN(query_param, 32);
AT(query_param, size, 0);
AT(query_param, type, 4);
AT(query_param, flags, 8);
AT(query_param, reserved, 12);
AT(query_param, key, 16);
AT(query_param, help, 24);
OPEN(query_type, 40);
AT(query_type, size, 0);
AT(query_type, flags, 4);
AT(query_type, name, 8);
AT(query_type, base, 16);
AT(query_type, params, 24);
AT(query_type, summary, 32);
OPEN(query_key, 48);
AT(query_key, size, 0);
AT(query_key, tag, 4);
AT(query_key, name, 8);
AT(query_key, path, 16);
AT(query_key, vr, 24);
AT(query_key, reserved, 28);
AT(query_key, values, 32);
OPEN(query, 48);
AT(query, size, 0);
AT(query, level, 4);
AT(query, type, 8);
AT(query, keys, 16);
AT(query, include_fields, 32);

/* record.h */
OPEN(element, 40);
AT(element, size, 0);
AT(element, tag, 4);
AT(element, private_creator, 8);
AT(element, vr, 16);
AT(element, flags, 20);
AT(element, values, 24);
OPEN(record, 24);
AT(record, size, 0);
AT(record, level, 4);
AT(record, elements, 8);
CLOSED(record_sink, 16);
AT(record_sink, ctx, 0);
AT(record_sink, record, 8);

/* searcher.h */
OPEN(searcher_ops, 40);
AT(searcher_ops, size, 0);
AT(searcher_ops, reserved, 4);
AT(searcher_ops, find, 8);
AT(searcher_ops, check, 16);
AT(searcher_ops, query_types, 24);
AT(searcher_ops, levels, 32);

/* storage.h */
OPEN(stored, 32);
AT(stored, size, 0);
AT(stored, flags, 4);
AT(stored, path, 8);
AT(stored, bytes, 16);
AT(stored, previous_sha256, 24);
CLOSED(where_sink, 16);
AT(where_sink, ctx, 0);
AT(where_sink, where, 8);
OPEN(storage_ops, 64);
AT(storage_ops, size, 0);
AT(storage_ops, reserved, 4);
AT(storage_ops, needs, 8);
AT(storage_ops, open, 16);
AT(storage_ops, write, 24);
AT(storage_ops, commit, 32);
AT(storage_ops, abort, 40);
AT(storage_ops, exists, 48);
AT(storage_ops, sync, 56);
OPEN(lacks_interface, 16);
AT(lacks_interface, size, 0);
AT(lacks_interface, reserved, 4);
AT(lacks_interface, lacks, 8);

/* stored.h */
OPEN(stored_item, 88);
AT(stored_item, size, 0);
AT(stored_item, frame, 4);
AT(stored_item, id, 8);
AT(stored_item, path, 16);
AT(stored_item, study, 24);
AT(stored_item, series, 32);
AT(stored_item, instance, 40);
AT(stored_item, variant, 48);
AT(stored_item, content_type, 56);
AT(stored_item, sha256, 64);
AT(stored_item, bytes, 72);
AT(stored_item, stored_ms, 80);
OPEN(stored_filter, 40);
AT(stored_filter, size, 0);
AT(stored_filter, reserved, 4);
AT(stored_filter, study, 8);
AT(stored_filter, series, 16);
AT(stored_filter, instance, 24);
AT(stored_filter, before_ms, 32);
CLOSED(stored_sink, 16);
AT(stored_sink, ctx, 0);
AT(stored_sink, item, 8);
OPEN(stored_interface, 40);
AT(stored_interface, size, 0);
AT(stored_interface, reserved, 4);
AT(stored_interface, ready, 8);
AT(stored_interface, walk, 16);
AT(stored_interface, examine, 24);
AT(stored_interface, remove, 32);

/* types.h */
CLOSED(span, 16);
AT(span, items, 0);
AT(span, count, 8);
AT(span, stride, 12);
OPEN(failure, 32);
AT(failure, size, 0);
AT(failure, status, 4);
AT(failure, code, 8);
AT(failure, flags, 12);
AT(failure, retry_after_ms, 16);
AT(failure, message, 24);
OPEN(ref, 56);
AT(ref, size, 0);
AT(ref, level, 4);
AT(ref, study, 8);
AT(ref, series, 16);
AT(ref, instance, 24);
AT(ref, sop_class, 32);
AT(ref, transfer_syntax, 40);
AT(ref, frame, 48);
AT(ref, reserved, 52);
#endif

#define VALUE(name, value) static_assert((name) == (value), #name " is frozen")
#define TEXT(name, text) static_assert(__builtin_strcmp(name, text) == 0, #name " is frozen")

/* host.h, enum trolley_log_level */
VALUE(TROLLEY_LOG_ERROR, 1);
VALUE(TROLLEY_LOG_WARNING, 2);
VALUE(TROLLEY_LOG_INFO, 3);
VALUE(TROLLEY_LOG_DEBUG, 4);

/* option.h, enum trolley_option_type */
VALUE(TROLLEY_OPTION_STRING, 1);
VALUE(TROLLEY_OPTION_INT, 2);
VALUE(TROLLEY_OPTION_BOOL, 3);
VALUE(TROLLEY_OPTION_DURATION, 4);
VALUE(TROLLEY_OPTION_SIZE, 5);
VALUE(TROLLEY_OPTION_CHOICE, 6);
VALUE(TROLLEY_OPTION_PATH, 7);
VALUE(TROLLEY_OPTION_URL, 8);
VALUE(TROLLEY_OPTION_AE_TITLE, 9);
VALUE(TROLLEY_OPTION_PORT, 10);
VALUE(TROLLEY_OPTION_LIST, 11);
VALUE(TROLLEY_OPTION_COMPONENT, 12);

/* plugin.h, enum trolley_kind */
VALUE(TROLLEY_KIND_SEARCHER, 1);
VALUE(TROLLEY_KIND_DOWNLOADER, 2);
VALUE(TROLLEY_KIND_STORAGE, 3);
VALUE(TROLLEY_KIND_AUTH, 4);

/* query.h, enum trolley_param_type */
VALUE(TROLLEY_PARAM_ATTRIBUTE, 1);
VALUE(TROLLEY_PARAM_DATE, 2);
VALUE(TROLLEY_PARAM_INT, 3);
VALUE(TROLLEY_PARAM_BOOL, 4);
VALUE(TROLLEY_PARAM_TEXT, 5);

/* types.h, enum trolley_status */
VALUE(TROLLEY_OK, 0);
VALUE(TROLLEY_ERR_NOMEM, -1);
VALUE(TROLLEY_ERR_INVALID_ARG, -2);
VALUE(TROLLEY_ERR_INVALID_CONFIG, -3);
VALUE(TROLLEY_ERR_UNSUPPORTED, -4);
VALUE(TROLLEY_ERR_UNSUPPORTED_PARAM, -5);
VALUE(TROLLEY_ERR_NEED_DEEPER_REF, -6);
VALUE(TROLLEY_ERR_NOT_FOUND, -7);
VALUE(TROLLEY_ERR_GONE, -8);
VALUE(TROLLEY_ERR_AUTH, -9);
VALUE(TROLLEY_ERR_NETWORK, -10);
VALUE(TROLLEY_ERR_TIMEOUT, -11);
VALUE(TROLLEY_ERR_PROTOCOL, -12);
VALUE(TROLLEY_ERR_TRUNCATED, -13);
VALUE(TROLLEY_ERR_REMOTE, -14);
VALUE(TROLLEY_ERR_UNAVAILABLE, -15);
VALUE(TROLLEY_ERR_TOO_LARGE, -16);
VALUE(TROLLEY_ERR_IO, -17);
VALUE(TROLLEY_ERR_NO_SPACE, -18);
VALUE(TROLLEY_ERR_CANCELLED, -19);
VALUE(TROLLEY_ERR_PARTIAL, -20);
VALUE(TROLLEY_ERR_INTERNAL, -21);

/* types.h, enum trolley_level */
VALUE(TROLLEY_LEVEL_STUDY, 1);
VALUE(TROLLEY_LEVEL_SERIES, 2);
VALUE(TROLLEY_LEVEL_INSTANCE, 3);

/* http.h */
VALUE(TROLLEY_HTTP_ERROR_BODY, 1);
VALUE(TROLLEY_HTTP_DOCUMENT, 2);

/* option.h */
VALUE(TROLLEY_OPTION_REQUIRED, 1);
VALUE(TROLLEY_OPTION_SECRET, 2);
VALUE(TROLLEY_OPTION_DEPRECATED, 4);
VALUE(TROLLEY_OPTION_ADVANCED, 8);
VALUE(TROLLEY_OPTION_PREFIX, 16);
VALUE(TROLLEY_OPTION_ROOT_PATH, 32);

/* plugin.h */
VALUE(TROLLEY_COMPONENT_HTTP, 1);

/* query.h */
VALUE(TROLLEY_QUERY_ANY_ATTRIBUTE, 1);

/* record.h */
VALUE(TROLLEY_ELEMENT_NULL, 1);
VALUE(TROLLEY_ELEMENT_BULK_URI, 2);
VALUE(TROLLEY_ELEMENT_JSON, 4);

/* storage.h */
VALUE(TROLLEY_STORE_REPLACE, 1);
VALUE(TROLLEY_STORE_KEEP_BOTH, 2);
VALUE(TROLLEY_STORED_SAME, 1);
VALUE(TROLLEY_STORED_BESIDE, 2);
VALUE(TROLLEY_STORED_REPLACED, 4);

/* stored.h */
VALUE(TROLLEY_STORED_WHOLE, 1);
VALUE(TROLLEY_STORED_MISSING, 2);
VALUE(TROLLEY_STORED_RESIZED, 3);
VALUE(TROLLEY_STORED_CHANGED, 4);

/* types.h */
VALUE(TROLLEY_FAILURE_TRANSIENT, 1);
VALUE(TROLLEY_FAILURE_PERMANENT, 2);
VALUE(TROLLEY_FAILURE_STOP_ALL, 4);
VALUE(TROLLEY_FAILURE_IGNORE, 8);
VALUE(TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY), 2);
VALUE(TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES), 4);
VALUE(TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE), 8);

/* services and interfaces */
TEXT(TROLLEY_DICTIONARY_SERVICE, "trolley.dictionary/1");
TEXT(TROLLEY_HTTP_SERVICE, "trolley.http/1");
TEXT(TROLLEY_DELIVERS_INTERFACE, "trolley.delivers/1");
TEXT(TROLLEY_LACKS_INTERFACE, "trolley.lacks/1");
TEXT(TROLLEY_PING_INTERFACE, "trolley.ping/1");
TEXT(TROLLEY_STORED_INTERFACE, "trolley.stored/1");
