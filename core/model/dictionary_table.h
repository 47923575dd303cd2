/* dictionary_table.h: the tables that dictionary.awk makes. SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_DICTIONARY_TABLE_H
#define CORE_MODEL_DICTIONARY_TABLE_H

#include "core/model/dictionary.h"

extern const size_t dictionary_count;
extern const struct dictionary_entry dictionary_table[]; /* in order of tag */
extern const uint16_t dictionary_by_keyword[];           /* indices, in strcmp order of keyword */

#endif
