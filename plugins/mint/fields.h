/* fields.h: the attributes that Vitrea Connection tells of each level. SPDX-License-Identifier: MIT
 */
#ifndef MINT_FIELDS_H
#define MINT_FIELDS_H

#include <stdint.h>

/* The level from which on a keyword may be asked for; 0 when it is no include field. */
uint32_t fields_level(const char *keyword);

/* "study", "series", "instance". */
const char *fields_level_name(uint32_t level);

#endif
