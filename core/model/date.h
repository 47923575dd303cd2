/* date.h: dates as users type them. SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_DATE_H
#define CORE_MODEL_DATE_H

#include <time.h>

#include "core/model/error.h"

/*
 * Reads "20150301", "2015-03-01", "today", "yesterday", "today-7d" or a range of two of them:
 * "A-B", "A..B", open at either end ("A-", "-B", "..B"). Fills from and to with "YYYYMMDD", or ""
 * for an open end. `now` is local time's anchor. Real dates only (no 31st of February); a range
 * that runs backwards is an error.
 */
int date_parse_range(const char *text, time_t now, char from[9], char to[9],
                     struct trolley_error *error);

#endif
