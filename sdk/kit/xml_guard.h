/* xml_guard.h: follows the bytes of an XML document far enough to know where markup begins and
 * ends, and bounds it before a parser buffers it. libxml2 compares each attribute of a tag with
 * every other one and scans an unfinished tag anew with each piece: both must see bounded, whole
 * tags only. SPDX-License-Identifier: MIT */
#ifndef KIT_XML_GUARD_H
#define KIT_XML_GUARD_H

#include <stddef.h>
#include <stdint.h>

#include "xml.h"

enum guard_state {
    GUARD_START, /* before the first byte that counts */
    GUARD_TEXT,
    GUARD_OPEN,    /* behind '<' */
    GUARD_TAG,     /* in a tag, outside quotes */
    GUARD_QUOTED,  /* in an attribute's value */
    GUARD_BANG,    /* behind "<!": comment, CDATA or a declaration */
    GUARD_COMMENT, /* until "-->" */
    GUARD_CDATA,   /* until "]]>" */
    GUARD_PI       /* until "?>" */
};

struct xml_guard {
    const struct kit_xml_limits *limits;
    enum guard_state state;
    char quote;
    char last[2];        /* the two bytes before, for the ends of comments and the like */
    char opening[8];     /* what came behind "<!" */
    uint32_t opened;     /* bytes of it; of the byte order mark at the start */
    uint32_t markup;     /* bytes of the markup being read */
    uint32_t attributes; /* of the tag being read */
    uint32_t value;      /* bytes of the attribute being read */
    const char *problem;
};

/* Follows the bytes from *at to `end`, at most to the end of one piece of markup or text. *at is
 * moved; where it stops, state says whether markup is still open. Returns 0, PROTOCOL or TOO_LARGE
 * with `problem` set and *at at the offending byte. */
int xml_guard_step(struct xml_guard *guard, const char **at, const char *end);

#endif
