/* match_time.h: dates and times as intervals; part of match.c, not installed.
 * SPDX-License-Identifier: MIT */
#ifndef KIT_MATCH_TIME_H
#define KIT_MATCH_TIME_H

#include <stdbool.h>

/*
 * Does a value of VR DA, TM or DT lie in the key, "A", "A-B", "A-" or "-B"? [PS3.4 C.2.2.2.5] A
 * partial date or time stands for the whole interval it names: two match when they have a moment in
 * common. UTC offsets count where both sides have one. What is not a date or time matches nothing.
 */
bool match_time(const char *vr, const char *key, const char *key_end, const char *value,
                const char *value_end);

#endif
