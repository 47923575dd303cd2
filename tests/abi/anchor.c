/*
 * anchor.c: names every struct and enum of the contract, so that abidw sees them all. Compiled to a
 * library of its own by tests/abi/run. SPDX-License-Identifier: MIT
 */
#include <trolley/plugin.h>
#include <trolley/stored.h>

#define STRUCT(name) struct trolley_##name *anchor_##name
#define ENUM(name) enum trolley_##name anchor_##name

ENUM(log_level);
ENUM(option_type);
ENUM(kind);
ENUM(param_type);
ENUM(status);
ENUM(level);
ENUM(stored_state);

STRUCT(auth_request);
STRUCT(auth_http);
STRUCT(auth_response);
STRUCT(auth_ops);
STRUCT(meta);
STRUCT(dataset_sink);
STRUCT(downloader_ops);
STRUCT(delivers_interface);
STRUCT(host);
STRUCT(dictionary_service);
STRUCT(task);
STRUCT(secret_sink);
STRUCT(peer);
STRUCT(config);
STRUCT(http_header);
STRUCT(http_request);
STRUCT(http_response);
STRUCT(http_handler);
STRUCT(http_service);
STRUCT(option);
STRUCT(component);
STRUCT(plugin);
STRUCT(ping_interface);
STRUCT(query_param);
STRUCT(query_type);
STRUCT(query_key);
STRUCT(query);
STRUCT(element);
STRUCT(record);
STRUCT(record_sink);
STRUCT(searcher_ops);
STRUCT(stored);
STRUCT(where_sink);
STRUCT(stored_item);
STRUCT(stored_filter);
STRUCT(stored_sink);
STRUCT(stored_interface);
STRUCT(storage_ops);
STRUCT(lacks_interface);
STRUCT(span);
STRUCT(failure);
STRUCT(ref);
